import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { contextClient } from '../context/context-fixtures.js';
import { startTestApi, type TestApi } from '../support/app.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.close());

it('answers with what it had, and says so, while the entries cannot be read', async () => {
  const client = contextClient(api, await api.register('ann@test.example'));
  await client.makeSource('notes');
  await client.addEntry('notes', { text: 'Before' });
  const request = { sources: [{ id: 'notes' }] };
  const xCache = async (): Promise<unknown[]> => {
    const { status, headers } = await client.compile(request);
    return [status, headers.get('x-cache')];
  };
  // The index follows, and evicts once more.
  for (let at = ''; at !== 'L1'; at = String((await xCache())[1])) await xCache();

  await api.platform.dataSource.query('ALTER TABLE context_entry RENAME TO context_entry_gone');
  expect(await xCache()).toEqual([200, 'L1']);
  api.clock.advance(61_000);
  expect(await xCache()).toEqual([200, 'STALE']);
  const { body } = await api.request('GET', '/metrics', { token: await api.login() });
  expect(body).toContain('cache_hits_total{level="STALE",namespace="context.compiled"} 1');

  await api.platform.dataSource.query('ALTER TABLE context_entry_gone RENAME TO context_entry');
  api.clock.advance(2_000);
  expect(await xCache()).toEqual([200, 'MISS']);
}, 60_000);
