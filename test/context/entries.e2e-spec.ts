import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestApi } from '../support/app.js';
import { busyConnections, until } from './database-activity.js';
import { type ContextClient, contextClient, minute, ndjson } from './context-fixtures.js';

let api: TestApi;
let ann: ContextClient;

const MAX_LINE_BYTES = 4096;
const MAX_BODY_BYTES = 200_000;

beforeAll(async () => {
  api = await startTestApi({
    PANTHEON_CONTEXT_BULK_MAX_LINE_BYTES: String(MAX_LINE_BYTES),
    PANTHEON_CONTEXT_BULK_MAX_BYTES: String(MAX_BODY_BYTES),
    PANTHEON_CONTEXT_BULK_BATCH_ROWS: '50',
  });
  ann = contextClient(api, await api.register('ann@test.example'));
}, 60_000);
afterAll(() => api.close(), 60_000);

describe('entries', () => {
  it('are added and read back with all their fields', async () => {
    await ann.makeSource('chat', { kind: 'conversation' });
    const entry = {
      text: 'Good morning ✓',
      role: 'user',
      author: 'Ann',
      type: 'user',
      occurredAt: '2026-03-01T10:00:00.000Z',
      importance: 2.5,
      pinned: true,
      rating: 4,
      metadata: { room: 'kitchen', nested: { a: [1, null] } },
      externalKey: 'k1',
    };
    const id = await ann.addEntry('chat', entry);
    expect((await ann.get(`/v1/sources/chat/entries/${id}`)).body).toMatchObject({ id, ...entry });
    const missing = await ann.get(`/v1/sources/chat/entries/${newId()}`);
    expect(missing.body).toMatchObject({ status: 404, code: 'ENTRY_NOT_FOUND' });
  });

  it('are listed in keyset pages, newest first, without large fields unless asked', async () => {
    await ann.fill(
      'pages',
      // Two of each minute, so that time alone does not order them.
      Array.from({ length: 11 }, (_, index) => ({
        text: `entry ${index}`,
        occurredAt: minute(Math.floor(index / 2)),
        metadata: { index },
      })),
    );
    const plain = await ann.get('/v1/sources/pages/entries?limit=3');
    expect(plain.body.items).toHaveLength(3);
    for (const item of plain.body.items as object[]) {
      expect(item).not.toHaveProperty('text');
      expect(item).not.toHaveProperty('metadata');
      expect(item).toHaveProperty('occurredAt');
    }
    const seen: string[] = [];
    let query = '?limit=3&fields=text,metadata';
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await ann.get(`/v1/sources/pages/entries${query}`);
      seen.push(...(body.items as { text: string }[]).map(({ text }) => text));
      if (body.nextCursor === null) break;
      query = `?limit=3&fields=text,metadata&cursor=${body.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(11);
    expect(seen).toHaveLength(11);
    const minutes = seen.map((text) => Math.floor(Number(text.split(' ')[1]) / 2));
    expect(minutes).toEqual(minutes.toSorted((a, b) => b - a));
    const oldest = await ann.get('/v1/sources/pages/entries?sort=oldest&limit=1&fields=text');
    expect(['entry 0', 'entry 1']).toContain(oldest.body.items[0].text);
  });

  it('refuse unknown fields and a foreign cursor', async () => {
    await ann.makeSource('strict');
    expect((await ann.get('/v1/sources/strict/entries?fields=embedding')).status).toBe(400);
    expect((await ann.get('/v1/sources/strict/entries?cursor=zzz')).body).toMatchObject({
      status: 400,
      code: 'CURSOR_INVALID',
    });
  });

  it('are written once under their external key', async () => {
    await ann.makeSource('keyed');
    const first = await ann.addEntry('keyed', { text: 'one', externalKey: 'k' });
    const second = await ann.addEntry('keyed', { text: 'two', externalKey: 'k' });
    expect(second).toBe(first);
    const { body } = await ann.get('/v1/sources/keyed/entries?fields=text');
    expect(body.items).toEqual([expect.objectContaining({ id: first, text: 'two' })]);
  });

  it('refuse what cannot be stored, with the path of each fault', async () => {
    await ann.makeSource('faults');
    const faults: [object, string][] = [
      [{ text: '' }, 'body.text'],
      [{ text: 'a\0b' }, 'body.text'],
      [{ text: '\ud800' }, 'body.text'],
      [{ text: 'x', occurredAt: 'yesterday' }, 'body.occurredAt'],
      [{ text: 'x', importance: 6 }, 'body.importance'],
      [{ text: 'x', role: 'robot' }, 'body.role'],
      [{ text: 'x', metadata: [] }, 'body.metadata'],
      [{ text: 'x', metadata: { a: '\0' } }, 'body.metadata'],
    ];
    for (const [body, path] of faults) {
      const answer = await ann.post('/v1/sources/faults/entries', body);
      expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([400, path]);
    }
  });
});

describe('a bulk write', () => {
  it('stores good lines and reports bad ones with their numbers', async () => {
    await ann.makeSource('mixed');
    const { status, body } = await ann.bulk('mixed', [
      { text: 'first' },
      '{"text": broken',
      { text: '' },
      '',
      { text: 'x'.repeat(MAX_LINE_BYTES) },
      { text: 'last', unknown: true },
      { text: 'sixth' },
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject({ inserted: 2, rejectedCount: 4, aborted: false });
    const lines = (body.rejected as { line: number; code: string }[]).map(({ line }) => line);
    expect(lines.toSorted((a, b) => a - b)).toEqual([2, 3, 5, 6]);
    for (const rejected of body.rejected as { code: string; detail: string }[]) {
      expect(rejected.code).toMatch(/^[A-Z_]+$/);
      expect(rejected.detail).not.toBe('');
    }
    expect((await ann.get('/v1/sources/mixed/entries')).body.items).toHaveLength(2);
  });

  it('stores everything or nothing with onError=abort, also after many good batches', async () => {
    await ann.makeSource('atomic');
    const good = Array.from({ length: 180 }, (_, index) => ({ text: `line ${index}` }));
    const failed = await ann.bulk('atomic', [...good, { text: '' }], '?onError=abort');
    expect(failed.body).toMatchObject({ inserted: 0, aborted: true });
    expect(failed.body.rejected).toEqual([expect.objectContaining({ line: 181 })]);
    expect((await ann.get('/v1/sources/atomic/entries')).body.items).toEqual([]);
    const done = await ann.bulk('atomic', good, '?onError=abort');
    expect(done.body).toMatchObject({ inserted: 180, aborted: false, rejected: [] });
  });

  it('doubles nothing when it is sent again with external keys', async () => {
    await ann.makeSource('again');
    const rows = Array.from({ length: 120 }, (_, index) => ({
      text: `text ${index}`,
      externalKey: `key-${index}`,
    }));
    expect((await ann.bulk('again', rows)).body).toMatchObject({ inserted: 120 });
    const changed = rows.map(({ text, externalKey }, index) => ({
      text: index < 7 ? `changed ${index}` : text,
      externalKey,
    }));
    expect((await ann.bulk('again', changed)).body).toMatchObject({
      inserted: 0,
      updated: 7,
      unchanged: 113,
    });
    const { body } = await ann.get('/v1/sources/again/entries?limit=1000');
    expect(body.items).toHaveLength(120);
  });

  it('is done once for one Idempotency-Key', async () => {
    await ann.makeSource('replayed');
    const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': newId() };
    const path = '/v1/sources/replayed/entries/bulk';
    const first = await ann.post(path, ndjson([{ text: 'a' }, { text: 'b' }]), headers);
    const second = await ann.post(path, ndjson([{ text: 'a' }, { text: 'b' }]), headers);
    expect(first.body.inserted).toBe(2);
    expect(second.body).toEqual(first.body);
    expect((await ann.get('/v1/sources/replayed/entries')).body.items).toHaveLength(2);
  });

  it('refuses a body that is too large, announced or not, and answers while it is sent', async () => {
    await ann.makeSource('large');
    const rows = Array.from({ length: 200 }, () => ({ text: 'x'.repeat(2000) }));
    const announced = await ann.bulk('large', rows);
    expect(announced.body).toMatchObject({ status: 413, code: 'BULK_BODY_TOO_LARGE' });
    expect((await ann.get('/v1/sources/large/entries')).body.items).toEqual([]);

    const response = await fetch(`${api.url}/v1/sources/large/entries/bulk?onError=abort`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ann.token}`,
        'content-type': 'application/x-ndjson',
      },
      body: ReadableStream.from(rows.map((row) => Buffer.from(ndjson([row])))),
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    expect((await ann.get('/v1/sources/large/entries')).body.items).toEqual([]);
  });

  it('takes nothing but NDJSON', async () => {
    await ann.makeSource('typed');
    const path = '/v1/sources/typed/entries/bulk';
    for (const type of ['application/json', 'text/plain', 'application/xml']) {
      const answer = await ann.post(path, '{"text":"x"}', { 'content-type': type });
      expect([type, answer.status]).toEqual([type, 415]);
    }
    expect((await ann.bulk('typed', [{ text: 'x' }], '?onError=maybe')).status).toBe(400);
    expect((await ann.bulk('nowhere', [{ text: 'x' }])).status).toBe(404);
  });

  it('undoes an atomic write whose sender goes away', async () => {
    await ann.makeSource('broken');
    const stop = new AbortController();
    const request = fetch(`${api.url}/v1/sources/broken/entries/bulk?onError=abort`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'application/x-ndjson' },
      body: new ReadableStream({
        start(controller) {
          const lines = Array.from({ length: 150 }, (_, index) => ({ text: `line ${index}` }));
          controller.enqueue(Buffer.from(ndjson(lines)));
        },
      }),
      duplex: 'half',
      signal: stop.signal,
    });
    const ended = expect(request).rejects.toThrow();
    await until(async () => (await busyConnections(api)).length > 0);
    stop.abort();
    await ended;
    await until(async () => (await busyConnections(api)).length === 0);
    expect((await ann.get('/v1/sources/broken/entries')).body.items).toEqual([]);
  });
});

describe('consistency', () => {
  it('is reported and repaired', async () => {
    await ann.makeSource('indexed');
    await ann.bulk('indexed', [{ text: 'one' }, { text: 'two' }, { text: 'three' }]);
    await api.platform.dataSource.query(
      `UPDATE entry_index SET state = 'failed', attempts = 5, last_error = 'lost',
         next_attempt_at = now() + interval '1 day', terms = NULL, embedding = NULL
       WHERE entry_id IN (
         SELECT entry.id FROM context_entry entry JOIN context_source source ON source.id = source_id
         WHERE source.name = 'indexed' AND text = 'two')`,
    );
    const before = await ann.get('/v1/sources/indexed/consistency');
    expect(before.body).toMatchObject({ total: 3, failed: 1 });
    expect(before.body.inconsistent).toEqual(
      expect.arrayContaining([expect.objectContaining({ index: 'failed', consistent: false })]),
    );
    const repair = await ann.post('/v1/sources/indexed/consistency/repair');
    expect(repair.status).toBe(200);
    expect(repair.body).toMatchObject({ failed: 0 });
    expect(repair.body.repaired).toBeGreaterThanOrEqual(1);
    const after = await ann.get('/v1/sources/indexed/consistency');
    expect(after.body).toMatchObject({ total: 3, written: 3, failed: 0, inconsistent: [] });
    const found = await ann.compile({ sources: [{ id: 'indexed' }], texts: ['two'], limit: 1 });
    expect(found.body.messages[0].content).toContain('two');
  });
});
