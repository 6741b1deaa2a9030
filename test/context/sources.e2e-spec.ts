import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestApi } from '../support/app.js';
import { type ContextClient, contextClient } from './context-fixtures.js';

let api: TestApi;
let ann: ContextClient;
let bob: ContextClient;

beforeAll(async () => {
  api = await startTestApi();
  ann = contextClient(api, await api.register('ann@test.example'));
  bob = contextClient(api, await api.register('bob@test.example'));
}, 60_000);
afterAll(() => api.close(), 60_000);

/** Somebody else in Ann's organization. */
async function colleague(email: string): Promise<ContextClient> {
  const password = `password of ${email}`;
  const body = { email, password, roles: ['member'] };
  const created = await ann.post('/v1/auth/users', body);
  expect([created.status, created.body]).toEqual([201, expect.anything()]);
  return contextClient(api, await api.login({ email, password }));
}

describe('sources', () => {
  it('are made, found by id and by name, changed and deleted', async () => {
    const made = await ann.post('/v1/sources', {
      name: 'notes',
      kind: 'document',
      label: 'My notes',
      retentionDays: 30,
      cacheRule: { ttlMs: 5000 },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'notes',
      label: 'My notes',
      kind: 'document',
      scope: 'personal',
      retentionDays: 30,
      cacheRule: { ttlMs: 5000 },
    });
    expect(made.body).not.toHaveProperty('organizationId');

    for (const id of ['notes', made.body.id]) {
      expect((await ann.get(`/v1/sources/${id}`)).body).toEqual(made.body);
    }
    const changed = await ann.send('PATCH', '/v1/sources/notes', {
      label: 'Notes',
      retentionDays: null,
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ label: 'Notes', retentionDays: null, kind: 'document' });

    expect((await ann.send('DELETE', `/v1/sources/${made.body.id}`)).status).toBe(204);
    expect((await ann.get('/v1/sources/notes')).body).toMatchObject({
      status: 404,
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('refuse a name that is taken, and take it again once it is free', async () => {
    await ann.makeSource('taken');
    const again = await ann.post('/v1/sources', { name: 'taken', kind: 'log' });
    expect(again.body).toMatchObject({ status: 409, code: 'SOURCE_NAME_TAKEN' });
    await ann.makeSource('other');
    const renamed = await ann.send('PATCH', '/v1/sources/other', { name: 'taken' });
    expect(renamed.body).toMatchObject({ status: 409, code: 'SOURCE_NAME_TAKEN' });
    await ann.send('DELETE', '/v1/sources/taken');
    expect((await ann.send('PATCH', '/v1/sources/other', { name: 'taken' })).status).toBe(200);
  });

  it('name the path of every fault in a body', async () => {
    const { status, body } = await ann.post('/v1/sources', {
      name: 'with space',
      kind: 'novel',
      retentionDays: 0,
      extra: 1,
    });
    expect(status).toBe(400);
    const paths = (body.errors as { path: string }[]).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['body.name', 'body.kind', 'body.retentionDays']));
    expect(JSON.stringify(body.errors)).toContain('extra');
  });

  it('are listed in pages by name, each once', async () => {
    const cara = contextClient(api, await api.register('cara@test.example'));
    const names = Array.from({ length: 7 }, (_, index) => `list-${index}`);
    for (const name of names.toReversed()) await cara.makeSource(name);
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 4; page += 1) {
      const { body } = await cara.get(`/v1/sources?limit=2${cursor}`);
      seen.push(...(body.items as { name: string }[]).map(({ name }) => name));
      if (page === 3) expect(body.nextCursor).toBeNull();
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(names);
  });

  it('refuse a cursor that they have not given', async () => {
    for (const cursor of ['x', Buffer.from('[1,2]').toString('base64url'), '%00']) {
      const answer = await ann.get(`/v1/sources?cursor=${cursor}`);
      expect(answer.body).toMatchObject({ status: 400, code: 'CURSOR_INVALID' });
    }
    for (const limit of ['0', '1001', 'many', '1.5']) {
      expect((await ann.get(`/v1/sources?limit=${limit}`)).body).toMatchObject({
        status: 400,
        errors: [expect.objectContaining({ path: 'query.limit' })],
      });
    }
  });

  it('are made once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': newId() };
    const body = { name: 'once', kind: 'tool' };
    const first = await ann.post('/v1/sources', body, headers);
    const second = await ann.post('/v1/sources', body, headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    const other = await ann.post('/v1/sources', { ...body, name: 'twice' }, headers);
    expect(other.body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' });
  });
});

describe('who sees a source', () => {
  it('is its owner alone when it is personal, and the organization when it is shared', async () => {
    const dan = await colleague('dan@test.example');
    await ann.makeSource('diary');
    const sharedId = await ann.makeSource('handbook', { scope: 'organization' });
    const listed = (await dan.get('/v1/sources')).body.items as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['handbook']);
    expect((await dan.get('/v1/sources/diary')).status).toBe(404);
    expect((await dan.get('/v1/sources/handbook')).body.id).toBe(sharedId);
  });

  it('takes the own personal source before a shared one of the same name', async () => {
    const eve = await colleague('eve@test.example');
    await ann.makeSource('plans', { scope: 'team' });
    const own = await eve.makeSource('plans');
    expect((await eve.get('/v1/sources/plans')).body.id).toBe(own);
    expect((await ann.get('/v1/sources/plans')).body.id).not.toBe(own);
  });

  it('is nobody of another organization, on any route', async () => {
    const id = await ann.makeSource('secrets', { scope: 'organization' });
    const entry = await ann.addEntry('secrets', { text: 'the launch code is 0000' });
    const memory = await ann.post('/v1/memories/remember', { text: 'ann likes tea' });
    const bulkHeaders = { 'content-type': 'application/x-ndjson' };
    const attempts: [string, string, unknown?, Record<string, string>?][] = [
      ...['secrets', id].flatMap((key): [string, string, unknown?, Record<string, string>?][] => [
        ['GET', `/v1/sources/${key}`],
        ['PATCH', `/v1/sources/${key}`, { label: 'mine' }],
        ['DELETE', `/v1/sources/${key}`],
        ['POST', `/v1/sources/${key}/entries`, { text: 'x' }],
        ['POST', `/v1/sources/${key}/entries/bulk`, '{"text":"x"}\n', bulkHeaders],
        ['GET', `/v1/sources/${key}/entries?fields=text`],
        ['GET', `/v1/sources/${key}/entries/${entry}`],
        ['GET', `/v1/sources/${key}/entries/stream?fields=text`],
        ['GET', `/v1/sources/${key}/consistency`],
        ['POST', `/v1/sources/${key}/consistency/repair`],
      ]),
      ['POST', '/v1/contexts/compile', { sources: [{ id: 'secrets', label: 'x' }] }],
      ['POST', '/v1/contexts/compile/stream', { sources: [{ id: 'secrets', label: 'x' }] }],
      ['POST', `/v1/memories/${memory.body.id}/feedback`, { rating: 5 }],
    ];
    for (const [method, path, body, headers] of attempts) {
      const answer = await api.request(method, path, {
        token: bob.token,
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
      expect([method, path, answer.status]).toEqual([method, path, 404]);
      expect(JSON.stringify(answer.body)).not.toContain('launch code');
    }
    const batch = await bob.post('/v1/contexts/compile/batch', {
      requests: [{ sources: [{ id: 'secrets' }] }],
    });
    expect(batch.body.items).toEqual([
      { status: 'failed', error: expect.objectContaining({ code: 'SOURCE_NOT_FOUND' }) },
    ]);
    expect(JSON.stringify((await bob.get('/v1/sources')).body)).not.toContain('secrets');
    expect((await bob.get('/v1/memories/relevant?text=tea')).body.items).toEqual([]);
    expect((await bob.post('/v1/memories/recall', { query: 'tea' })).body.items).toEqual([]);
    // Nothing was changed by the attempts.
    expect((await ann.get('/v1/sources/secrets')).body.label).toBe('secrets');
    expect((await ann.get('/v1/sources/secrets/entries')).body.items).toHaveLength(1);
  });

  it('depends on grants for the source itself', async () => {
    const { body: users } = await ann.post('/v1/auth/users', {
      email: 'fay@test.example',
      password: 'password of fay@test.example',
      roles: ['member'],
    });
    const deny = [{ resource: 'source:payroll', action: '*', effect: 'deny' }];
    const granted = await ann.send('PUT', `/v1/auth/users/${users.id}/grants`, { grants: deny });
    expect([granted.status, granted.body]).toEqual([200, expect.anything()]);
    const fay = contextClient(
      api,
      await api.login({ email: 'fay@test.example', password: 'password of fay@test.example' }),
    );
    await ann.makeSource('payroll', { scope: 'organization' });
    await ann.makeSource('lunch', { scope: 'organization' });
    expect((await fay.get('/v1/sources/payroll')).body).toMatchObject({
      status: 403,
      code: 'SOURCE_FORBIDDEN',
    });
    const compiled = await fay.compile({ sources: [{ id: 'lunch' }, { id: 'payroll' }] });
    expect(compiled.body).toMatchObject({ status: 403, code: 'SOURCE_FORBIDDEN' });
    const listed = (await fay.get('/v1/sources?limit=1000')).body.items as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain('lunch');
    expect(listed.map(({ name }) => name)).not.toContain('payroll');
    // A member may not delete what others use.
    expect((await fay.send('DELETE', '/v1/sources/lunch')).status).toBe(403);
  });
});
