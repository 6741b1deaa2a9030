import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';

/** So that no other test is in the same Redis. */
const keyPrefix = `responses-${newId()}`;
let api: TestApi;
let token: string;
let path: string;

beforeAll(async () => {
  api = await startTestApi({
    REDIS_URL: testRedisUrl(),
    PANTHEON_REDIS_KEY_PREFIX: keyPrefix,
  });
  token = await api.register('ann@test.example');
  const body = { name: 'notes', kind: 'document', label: 'Nötes' };
  const made = await api.request('POST', '/v1/sources', { token, body });
  path = `/v1/sources/${String(made.body.id)}`;
}, 60_000);
afterAll(() => api.close(), 60_000);

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Unlike `fetch`, adds no `Cache-Control` of its own to a conditional request. */
async function ask(
  headers: Record<string, string> = {},
  method = 'GET',
  bearer = token,
  instance: TestApi = api,
  of: string = path,
): Promise<Reply> {
  const authorization = bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
  const asked = request(instance.url + of, {
    method,
    headers: { ...authorization, ...headers },
    agent: false,
  });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}

/** What a client sees of an answer beside what a cache adds to it and what differs each time. */
function plain({ status, headers, text: body }: Reply): object {
  const {
    age: _age,
    'cache-control': _cacheControl,
    date: _date,
    etag: _etag,
    'last-modified': _lastModified,
    ratelimit: _limit,
    'surrogate-key': _surrogateKey,
    vary: _vary,
    'x-cache': _cache,
    'x-request-id': _id,
    ...rest
  } = headers;
  return { status, rest, body };
}

describe('a source that was asked for before', () => {
  it('comes from memory, the same to the byte as without a cache', async () => {
    const uncached = await ask({ 'cache-control': 'no-store' });
    expect(uncached.headers['x-cache']).toBe('MISS');
    await ask();
    // The first hit goes out as any answer, the others in one text.
    for (let hit = 0; hit < 3; hit += 1) {
      const cached = await ask();
      expect(cached.headers['x-cache']).toBe('L1');
      expect(plain(cached)).toEqual(plain(uncached));
      expect(cached.headers).toMatchObject({
        'cache-control': 'private, max-age=0, must-revalidate',
        vary: 'authorization, x-api-key',
        age: expect.stringMatching(/^\d+$/),
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it('has a request id of its own, a line in the log and a place in the metrics', async () => {
    await ask();
    const id = 'asked-by-a-test';
    const { headers } = await ask({ 'x-request-id': id });
    expect(headers).toMatchObject({ 'x-cache': 'L1', 'x-request-id': id });
    const line = api.log.records.find((entry) => entry['requestId'] === id);
    expect(line).toMatchObject({
      route: '/v1/sources/:id',
      status: 200,
      bytes: Number(headers['content-length']),
      userId: expect.any(String),
    });
  });

  it('is 304 for who has it, and without a body for HEAD', async () => {
    const full = await ask();
    const etag = String(full.headers.etag);
    const again = await ask({ 'if-none-match': etag });
    expect(again).toMatchObject({ status: 304, text: '' });
    const head = await ask({}, 'HEAD');
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(full.headers['content-length']);
    expect(head.headers['x-cache']).toBe('L1');
  });

  it('is given to nobody who may not have it', async () => {
    await ask();
    expect((await ask({}, 'GET', '')).status).toBe(401);
    expect((await ask({}, 'GET', 'not.a.token')).status).toBe(401);
    const other = await ask({}, 'GET', await api.register('bob@test.example'));
    expect(other.status).toBe(404);
    expect(JSON.parse(other.text)).toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      requestId: other.headers['x-request-id'],
    });
    expect((await ask()).status).toBe(200);
  });

  it('is new at once after a change', async () => {
    for (let change = 0; change < 5; change += 1) {
      await ask();
      const label = `label ${change}`;
      await api.request('PATCH', path, { token, body: { label } });
      const after = await ask();
      expect(JSON.parse(after.text)).toMatchObject({ label });
      expect(after.headers['x-cache']).toBe('MISS');
    }
  });

  it('gives way to a nearer source of its name, and comes back when that is deleted', async () => {
    const named = async (): Promise<unknown> =>
      (JSON.parse((await ask({}, 'GET', token, api, '/v1/sources/plans')).text) as { id: string })
        .id;
    const make = async (scope: string): Promise<unknown> => {
      const body = { name: 'plans', kind: 'document', scope };
      return (await api.request('POST', '/v1/sources', { token, body })).body.id;
    };
    const shared = await make('organization');
    expect([await named(), await named()]).toEqual([shared, shared]);
    const own = await make('personal');
    expect([await named(), await named()]).toEqual([own, own]);
    await api.request('DELETE', `/v1/sources/${String(own)}`, { token });
    expect(await named()).toBe(shared);
  });

  it('is not loaded for who wants only what is stored', async () => {
    await ask({ 'cache-control': 'only-if-cached' });
    await api.request('PATCH', path, { token, body: { label: 'other' } });
    const none = await ask({ 'cache-control': 'only-if-cached' });
    expect(none.status).toBe(504);
    expect(JSON.parse(none.text)).toMatchObject({ code: 'CACHE_RESPONSE_NOT_STORED' });
  });

  it('is refused at once to somebody who has lost the right to it', async () => {
    const body = { name: 'shared', kind: 'document', scope: 'organization' };
    const made = await api.request('POST', '/v1/sources', { token, body });
    const shared = `/v1/sources/${String(made.body.id)}`;
    const account = { email: 'cem@test.example', password: 'password of cem', roles: ['member'] };
    const { body: colleague } = await api.request('POST', '/v1/auth/users', {
      token,
      body: account,
    });
    const { email, password } = account;
    const bearer = await api.login({ email, password });
    for (const expected of ['MISS', 'L1', 'L1']) {
      const { status, headers } = await ask({}, 'GET', bearer, api, shared);
      expect([status, headers['x-cache']]).toEqual([200, expected]);
    }
    const grants = [{ resource: 'source:shared', action: 'read', effect: 'deny' }];
    const put = await api.request('PUT', `/v1/auth/users/${String(colleague.id)}/grants`, {
      token,
      body: { grants },
    });
    expect([put.status, put.body]).toEqual([200, expect.anything()]);
    expect((await ask({}, 'GET', bearer, api, shared)).status).toBe(403);
    expect((await ask({}, 'GET', token, api, shared)).status).toBe(200);
  });
});

describe('a second instance', () => {
  let other: TestApi;

  beforeAll(async () => {
    other = await startTestApi({
      REDIS_URL: testRedisUrl(),
      PANTHEON_REDIS_KEY_PREFIX: keyPrefix,
      DATABASE_URL: api.platform.databaseUrl,
    });
  }, 60_000);
  afterAll(() => other.close(), 60_000);

  it('has what the first one stored, and forgets it together with it', async () => {
    const body = { name: 'both', kind: 'document', label: 'old' };
    const made = await api.request('POST', '/v1/sources', { token, body });
    const both = `/v1/sources/${String(made.body.id)}`;
    const first = await ask({}, 'GET', token, api, both);
    const second = await ask({}, 'GET', token, other, both);
    expect(second.headers['x-cache']).toBe('L2');
    expect(plain(second)).toEqual(plain(first));
    expect(second.headers.etag).toBe(first.headers.etag);
    expect((await ask({}, 'GET', token, other, both)).headers['x-cache']).toBe('L1');
    for (let change = 0; change < 5; change += 1) {
      const label = `new ${change}`;
      await api.request('PATCH', both, { token, body: { label } });
      const { text: after } = await ask({}, 'GET', token, other, both);
      expect(JSON.parse(after)).toMatchObject({ label });
    }
  });
});
