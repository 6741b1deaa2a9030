import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contextClient } from '../context/context-fixtures.js';
import { testRedisUrl } from '../support/database.js';
import { BACKPLANES, type Instances, startInstances } from './instances.js';

describe.each(BACKPLANES)('an instance that ends, with %s between them', (backplane) => {
  let instances: Instances;
  beforeAll(async () => {
    instances = await startInstances(backplane, testRedisUrl());
  }, 60_000);
  afterAll(() => instances.close(), 60_000);

  it('says so, and nobody waits for it', async () => {
    const { a, b } = instances;
    const client = contextClient(a, await a.register('ann@test.example'));
    await client.makeSource('notes');
    const nodes = async (): Promise<number> => {
      const sql = 'SELECT count(*)::int AS count FROM cache_node';
      const [row] = await a.platform.dataSource.query<{ count: number }[]>(sql);
      return row?.count ?? 0;
    };
    if (backplane === 'PostgreSQL') expect(await nodes()).toBe(2);

    await b.app.close();
    if (backplane === 'PostgreSQL') expect(await nodes()).toBe(1);
    await client.addEntry('notes', { text: 'After it has gone' });
    expect(JSON.stringify(a.log.lines)).not.toContain('CONTEXT_INVALIDATION_UNCONFIRMED');
    expect(b.log.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  }, 60_000);
});
