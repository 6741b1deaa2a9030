import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';
import { type ContextClient, contextClient, minute } from './context-fixtures.js';
import { busyConnections, until } from './database-activity.js';

const ROWS = 150_000;
const MEBIBYTE = 1024 * 1024;
/** What a million rows may cost, the reader in this process included. */
const MOST_HEAP_GROWTH_BYTES = 50 * MEBIBYTE;

let api: TestApi;
let ann: ContextClient;

beforeAll(async () => {
  api = await startTestApi();
  ann = contextClient(api, await api.register('ann@test.example'));
  await ann.fill(
    'small',
    Array.from({ length: 40 }, (_, index) => ({
      text: `entry ${index}`,
      occurredAt: minute(index),
      metadata: { index },
    })),
  );
  const id = await ann.makeSource('huge');
  await api.platform.dataSource.query(
    `INSERT INTO context_entry (id, source_id, occurred_at, content_hash, text)
     SELECT uuidv7(), $1, now() - n * interval '1 second', '\\x00', repeat('word ', 40)
     FROM generate_series(1, $2::int) n`,
    [id, ROWS],
  );
}, 60_000);
afterAll(() => api.close(), 60_000);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is kept, without what only waits to be collected. */
function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function open(path: string, signal?: AbortSignal): Promise<Response> {
  return fetch(api.url + path, {
    headers: { authorization: `Bearer ${ann.token}` },
    ...(signal === undefined ? {} : { signal }),
  });
}

describe('the stream of entries', () => {
  it('has one entry a line, oldest first, with large fields only when asked', async () => {
    const response = await open('/v1/sources/small/entries/stream');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const text = await response.text();
    expect(text.endsWith('\n')).toBe(true);
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(rows).toHaveLength(40);
    const times = rows.map((row) => (row as { occurredAt: string }).occurredAt);
    expect(times).toEqual(times.toSorted());
    expect(rows[0]).not.toHaveProperty('text');

    const full = await open('/v1/sources/small/entries/stream?fields=text,metadata&sort=newest');
    const [first] = (await full.text()).split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ text: 'entry 39', metadata: { index: 39 } });
  });

  it('is a JSON array for a client that takes nothing else', async () => {
    const ask = (path: string, accept: string): Promise<Response> =>
      fetch(api.url + path, { headers: { authorization: `Bearer ${ann.token}`, accept } });
    const lines = await (await open('/v1/sources/small/entries/stream')).text();
    const response = await ask('/v1/sources/small/entries/stream', 'application/json');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    );
    const any = await ask('/v1/sources/small/entries/stream', 'application/json, text/plain, */*');
    expect(any.headers.get('content-type')).toContain('application/x-ndjson');
    await any.body?.cancel();
    await ann.makeSource('nothing');
    const none = await ask('/v1/sources/nothing/entries/stream', 'application/json;q=0.9');
    expect(await none.json()).toEqual([]);
  });

  it('is an empty body for an empty source, and a problem for an unknown one', async () => {
    await ann.makeSource('empty');
    const empty = await open('/v1/sources/empty/entries/stream');
    expect([empty.status, await empty.text()]).toEqual([200, '']);
    const unknown = await ann.get('/v1/sources/nowhere/entries/stream');
    expect(unknown.body).toMatchObject({ status: 404, code: 'SOURCE_NOT_FOUND' });
    expect(unknown.headers.get('content-type')).toContain('application/problem+json');
  });

  it('sends any number of rows in bounded memory', async () => {
    const response = await open('/v1/sources/huge/entries/stream?fields=text');
    const before = heapInUse();
    let peak = before;
    let lines = 0;
    let bytes = 0;
    let lookAt = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
      bytes += chunk.length;
      if (bytes < lookAt) continue;
      peak = Math.max(peak, heapInUse());
      lookAt = bytes + 10 * MEBIBYTE;
    }
    expect(lines).toBe(ROWS);
    expect(bytes).toBeGreaterThan(ROWS * 200);
    expect(peak - before).toBeLessThan(MOST_HEAP_GROWTH_BYTES);
  }, 60_000);

  it('waits for a slow reader instead of filling the memory', async () => {
    const stop = new AbortController();
    const response = await open('/v1/sources/huge/entries/stream?fields=text', stop.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    const before = process.memoryUsage();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    // The whole stream is 60 MB; what is under way are buffers of sockets.
    expect(grown).toBeLessThan(20 * MEBIBYTE);
    expect((await busyConnections(api)).length).toBe(1);
    stop.abort();
    await until(async () => (await busyConnections(api)).length === 0);
  });

  it('ends its query in the database when the client goes away', async () => {
    const stops = Array.from({ length: 5 }, () => new AbortController());
    for (const stop of stops) {
      const response = await open('/v1/sources/huge/entries/stream', stop.signal);
      await response.body?.getReader().read();
    }
    expect((await busyConnections(api)).length).toBe(5);
    for (const stop of stops) stop.abort();
    await until(async () => (await busyConnections(api)).length === 0);
    // The connections are back and fit for use.
    expect((await ann.get('/v1/sources/huge/entries?limit=1')).status).toBe(200);
  });

  it('reads nothing for HEAD', async () => {
    const response = await fetch(`${api.url}/v1/sources/huge/entries/stream`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${ann.token}` },
    });
    expect(response.status).toBe(200);
    await until(async () => (await busyConnections(api)).length === 0, 1000);
  });
});
