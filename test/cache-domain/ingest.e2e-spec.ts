import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pantheonJson } from '../cli/pantheon-command.js';
import { contextClient } from '../context/context-fixtures.js';
import { startTestApi, type TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';
import { BACKPLANES } from './instances.js';

let api: TestApi;
let cwd: string;

afterEach(async () => {
  await api.close();
  await rm(cwd, { recursive: true, force: true });
}, 60_000);

describe.each(BACKPLANES)('an ingest with %s between the processes', (backplane) => {
  it('is in the next context of an API that had an older one in memory', async () => {
    const redis: Record<string, string> =
      backplane === 'Redis' ? { REDIS_URL: testRedisUrl() } : {};
    api = await startTestApi(redis);
    cwd = await mkdtemp(join(tmpdir(), 'pantheon-ingest-'));
    await chmod(cwd, 0o755);
    const { databaseUrl } = api.platform;
    const env = {
      ...redis,
      DATABASE_URL: databaseUrl,
      PANTHEON_REDIS_KEY_PREFIX: new URL(databaseUrl).pathname.slice(1),
    };
    const client = contextClient(api, await api.login());
    const compiled = async (): Promise<{ level: string | null; text: string }> => {
      const { headers, body } = await client.compile({ sources: [{ id: 'documents' }] });
      return { level: headers.get('x-cache'), text: JSON.stringify(body) };
    };
    for (const word of ['first', 'second', 'third']) {
      await writeFile(join(cwd, 'notes.md'), `# Notes\n\nThe ${word} version.\n`);
      await pantheonJson(['ingest', '--glob', '*.md'], { cwd, env });
      expect((await compiled()).text).toContain(`The ${word} version`);
      await compiled();
      expect((await compiled()).level).toBe('L1');
    }
  }, 60_000);
});
