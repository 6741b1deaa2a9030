import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { EmbeddedPostgres } from '#libs/persistence';
import { findRedisServer, freePort } from '../support/redis-server.js';
import { readCompose, serviceOf } from './compose.js';

const folder = await mkdtemp(join(tmpdir(), 'pantheon-compose-'));
await chmod(folder, 0o711);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the commands of docker-compose.yml', () => {
  it('start PostgreSQL with settings that it takes', async () => {
    const { command = [] } = serviceOf(await readCompose(), 'postgres');
    const settings = Object.fromEntries(
      command.filter((word) => word.includes('=')).map((word) => word.split('=', 2)),
    ) as Record<string, string>;
    const postgres = await EmbeddedPostgres.start({ dataDir: join(folder, 'postgres'), settings });
    try {
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      const { rows } = await client.query<{ name: string; value: string }>(
        'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)',
        [Object.keys(settings)],
      );
      await client.end();
      expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual(settings);
    } finally {
      await postgres.stop();
    }
  }, 30_000);

  it('start Valkey with options that it takes, closed to whoever has no password', async () => {
    const { command = [] } = serviceOf(await readCompose(), 'valkey');
    const port = await freePort();
    const [, ...options] = command.map((word) => word.replace(/^\$\{.*\}$/, 'secret'));
    const server = spawn(
      await findRedisServer(),
      [...options, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      { stdio: 'ignore' },
    );
    try {
      expect(await ask(port, 'PING')).toMatch(/^-NOAUTH/);
      expect(await ask(port, 'AUTH secret\r\nPING')).toBe('+OK\r\n+PONG\r\n');
      expect(await ask(port, 'AUTH secret\r\nCONFIG GET maxmemory-policy')).toContain('noeviction');
    } finally {
      server.kill('SIGKILL');
    }
  }, 15_000);
});

/** Sends inline commands and returns what came back until the server had nothing more to say. */
async function ask(port: number, commands: string): Promise<string> {
  for (;;) {
    const answer = await new Promise<string | undefined>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`${commands}\r\nQUIT\r\n`));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text.replace(/\+OK\r\n$/, '')));
      socket.on('error', () => resolve(undefined));
    });
    if (answer !== undefined) return answer;
    await sleep(20);
  }
}
