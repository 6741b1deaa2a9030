import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKeyUsage } from '../../libs/auth/src/api-keys/api-key-usage.js';
import { EndedApiKeysPurger } from '../../libs/auth/src/api-keys/ended-api-keys.purger.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const DAY_SECONDS = 86_400;
const READ_SOURCES = [{ resource: 'source', action: 'read' }];

let api: TestApi;
let users = 0;
/** Access token of the owner of a fresh organization. */
let owner: string;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_API_KEYS_KEYS_PER_USER: '5' });
});
afterAll(() => api.close());
beforeEach(async () => {
  users += 1;
  owner = await api.register(`keys-${users}@example.com`);
});

function manage(method: string, path: string, body?: unknown, token = owner): Promise<TestAnswer> {
  return api.request(method, `/v1/auth/api-keys${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });
}

async function createKey(body: object = {}): Promise<{ id: string; key: string }> {
  const answer = await manage('POST', '', { name: 'robot', scope: READ_SOURCES, ...body });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

function withKey(key: string, method = 'GET', path = '/v1/sources', body?: unknown) {
  return api.request(method, path, {
    headers: { 'x-api-key': key },
    ...(body === undefined ? {} : { body }),
  });
}

async function statusOf(key: string): Promise<[number, string | undefined]> {
  const { status, body } = await withKey(key);
  return [status, body?.code];
}

function expectProblem(answer: TestAnswer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
}

const WORKS = [200, undefined];
const REFUSED = [401, 'AUTH_API_KEY_INVALID'];

describe('an API key', () => {
  it('is shown once, and kept only as a hash', async () => {
    const { id, key } = await createKey();
    expect(key).toMatch(/^pan_[0-9A-Za-z]{65}$/);
    const shown = await manage('GET', `/${id}`);
    const listed = await manage('GET', '');
    for (const { status, body } of [shown, listed]) {
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain(key.slice(20));
    }
    const tables = await Promise.all(
      ['api_key', 'api_key_version', 'security_event', 'idempotency_key'].map((table) =>
        api.platform.dataSource.query(`SELECT row_to_json(t)::text AS row FROM ${table} t`),
      ),
    );
    expect(JSON.stringify(tables)).toContain(id);
    expect(JSON.stringify(tables)).not.toContain(key.slice(20));
  });

  it('is not kept for a retry either', async () => {
    const request = {
      token: owner,
      headers: { 'idempotency-key': 'once' },
      body: { name: 'robot', scope: READ_SOURCES },
    };
    const first = await api.request('POST', '/v1/auth/api-keys', request);
    const again = await api.request('POST', '/v1/auth/api-keys', request);
    expect(first.body.key).toMatch(/^pan_/);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual({ ...first.body, key: null });
  });

  it('is taken in either header, and not in both or beside a token', async () => {
    const { key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    const bearer = await api.request('GET', '/v1/sources', { token: key });
    expect(bearer.status).toBe(200);
    for (const token of [key, owner]) {
      const both = await api.request('GET', '/v1/sources', {
        token,
        headers: { 'x-api-key': key },
      });
      expectProblem(both, 400, 'AUTH_CREDENTIALS_AMBIGUOUS');
    }
  });

  it('tells who its owner is, and what it is limited to', async () => {
    const { key } = await createKey();
    const { body } = await withKey(key, 'GET', '/v1/auth/me');
    expect(body).toMatchObject({
      email: `keys-${users}@example.com`,
      roles: ['owner'],
      scope: [{ resource: 'source', action: 'read', effect: 'allow' }],
    });
  });

  it('is refused without a look-up when it is garbage, and by one when it is nobody’s', async () => {
    const { key } = await createKey();
    const flipped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
    for (const text of [
      flipped,
      key.slice(0, -1),
      `${key}0`,
      'pan_',
      'nothing',
      key.toUpperCase(),
    ]) {
      await expect(statusOf(text)).resolves.toEqual(REFUSED);
    }
    const twice = await api.request('GET', '/v1/sources', {
      headers: { 'x-api-key': `${key}, ${key}` },
    });
    expectProblem(twice, 401, 'AUTH_API_KEY_INVALID');
  });

  it('may do what both its owner and its scope allow, and nothing else', async () => {
    const { key } = await createKey();
    const create = { name: 'notes', kind: 'document' };
    expectProblem(await withKey(key, 'POST', '/v1/sources', create), 403, 'SOURCE_FORBIDDEN');
    expectProblem(await withKey(key, 'GET', '/v1/auth/users'), 403, 'AUTH_PERMISSION_DENIED');
    const check = { resource: 'source:notes', action: 'delete' };
    const { body } = await withKey(key, 'POST', '/v1/auth/check', check);
    expect(body).toMatchObject({ allowed: false });
  });

  it('cannot be given more than its owner has', async () => {
    for (const scope of [
      [{ resource: '*', action: '*' }],
      [
        { resource: 'source', action: 'read' },
        { resource: 'jobs', action: 'manage' },
      ],
    ]) {
      const answer = await manage('POST', '', { name: 'robot', scope });
      expectProblem(answer, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    }
  });

  it('cannot pass on what lies outside its scope, though its owner could', async () => {
    const { key } = await createKey({ scope: [{ resource: 'auth:roles', action: '*' }] });
    const within = { name: 'reviewer', grants: [{ resource: 'auth:roles', action: 'read' }] };
    const beyond = { name: 'keeper', grants: [{ resource: 'source:*', action: 'read' }] };
    expect(await withKey(key, 'POST', '/v1/auth/roles', within)).toMatchObject({ status: 201 });
    const refused = await withKey(key, 'POST', '/v1/auth/roles', beyond);
    expectProblem(refused, 403, 'AUTH_GRANT_EXCEEDS_OWN');
  });

  it('can neither make keys nor change them nor log out', async () => {
    const { id, key } = await createKey({ scope: [{ resource: 'source:*', action: '*' }] });
    const body = { name: 'heir', scope: [{ resource: 'source:*', action: '*' }] };
    for (const [method, path, sent] of [
      ['POST', '', body],
      ['GET', '', undefined],
      ['POST', `/${id}/rotate`, {}],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      const answer = await manage(method, path, sent, key);
      expectProblem(answer, 403, 'AUTH_SESSION_REQUIRED');
    }
    expectProblem(
      await api.request('POST', '/v1/auth/logout', { token: key }),
      401,
      'AUTH_TOKEN_INVALID',
    );
    await expect(statusOf(key)).resolves.toEqual(WORKS);
  });

  it('loses at once what its owner loses', async () => {
    const created = await api.request('POST', '/v1/auth/users', {
      token: owner,
      body: { email: `member-${users}@example.com`, password: 'a long enough password' },
    });
    const token = await api.login({
      email: `member-${users}@example.com`,
      password: 'a long enough password',
    });
    const { body } = await manage('POST', '', { name: 'robot', scope: READ_SOURCES }, token);
    await expect(statusOf(body.key)).resolves.toEqual(WORKS);
    const change = (changes: object) =>
      api.request('PATCH', `/v1/auth/users/${created.body.id}`, { token: owner, body: changes });
    const mayRead = async (): Promise<boolean> => {
      const check = { resource: 'source', action: 'read' };
      return (await withKey(body.key, 'POST', '/v1/auth/check', check)).body.allowed;
    };
    await expect(mayRead()).resolves.toBe(true);
    await change({ roles: [] });
    await expect(mayRead()).resolves.toBe(false);
    await change({ roles: ['member'] });
    await expect(mayRead()).resolves.toBe(true);
    await change({ disabled: true });
    await expect(statusOf(body.key)).resolves.toEqual(REFUSED);
    await change({ disabled: false });
    await expect(statusOf(body.key)).resolves.toEqual(WORKS);
  });

  it('is no use to anybody else: the keys of others do not exist', async () => {
    const { id } = await createKey();
    const stranger = await api.register(`stranger-${users}@example.com`);
    for (const [method, path, body] of [
      ['GET', `/${id}`, undefined],
      ['PATCH', `/${id}`, { name: 'mine' }],
      ['POST', `/${id}/rotate`, {}],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      expectProblem(await manage(method, path, body, stranger), 404, 'AUTH_API_KEY_NOT_FOUND');
    }
    expect((await manage('GET', '', undefined, stranger)).body.items).toEqual([]);
  });

  it('ends when it is revoked, also where it was in memory', async () => {
    const { id, key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    expect(await manage('DELETE', `/${id}`)).toMatchObject({ status: 204 });
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    expect(await manage('DELETE', `/${id}`)).toMatchObject({ status: 204 });
    const { body } = await manage('GET', `/${id}`);
    expect(body).toMatchObject({ status: 'revoked' });
    for (const [method, path] of [
      ['PATCH', `/${id}`],
      ['POST', `/${id}/rotate`],
    ] as const) {
      const answer = await manage(method, path, method === 'PATCH' ? { name: 'again' } : {});
      expectProblem(answer, 409, 'AUTH_API_KEY_ENDED');
    }
  });

  it('is one of a bounded number of its owner’s', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => manage('POST', '', { name: 'robot', scope: READ_SOURCES })),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(5);
    for (const answer of made.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'AUTH_API_KEY_LIMIT');
    }
    await manage('DELETE', `/${made.find(({ status }) => status === 201)?.body.id}`);
    await createKey();
  });

  it('is renamed, and limited but never widened', async () => {
    const scope = [{ resource: 'source:*', action: '*' }, ...READ_SOURCES];
    const { id, key } = await createKey({ scope });
    const renamed = await manage('PATCH', `/${id}`, { name: 'archivist' });
    expect(renamed.body).toMatchObject({ name: 'archivist', scope, version: 1 });
    const narrower = [{ resource: 'source:notes', action: 'read' }];
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    expect((await manage('PATCH', `/${id}`, { scope: narrower })).body.scope).toEqual(narrower);
    const { body } = await withKey(key, 'POST', '/v1/auth/check', {
      resource: 'source:other',
      action: 'read',
    });
    expect(body).toMatchObject({ allowed: false });
    for (const wider of [{ scope }, { expiresInSeconds: 200 * DAY_SECONDS }]) {
      expectProblem(await manage('PATCH', `/${id}`, wider), 403, 'AUTH_API_KEY_WIDENED');
    }
  });

  it('counts its uses, and knows when and from where the last one came', async () => {
    const { id, key } = await createKey();
    for (let use = 0; use < 20; use += 1) await withKey(key);
    await api.app.get(ApiKeyUsage, { strict: false }).flush();
    const { body } = await manage('GET', `/${id}`);
    expect(body).toMatchObject({ useCount: 20, lastUsedAddress: '127.0.0.1' });
    expect(Date.parse(body.lastUsedAt)).toBeGreaterThan(Date.parse(body.createdAt) - 1);
    expect(body.versions).toMatchObject([
      { version: 1, useCount: 20, startsWith: key.slice(0, 10) },
    ]);
  });
});

describe('a rotated API key', () => {
  it('works in both texts until the overlap ends, and in the new one after it', async () => {
    const { id, key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    const rotated = await manage('POST', `/${id}/rotate`, { overlapSeconds: 3_600 });
    expect(rotated).toMatchObject({ status: 201, body: { id, version: 2 } });
    expect(rotated.body.key).not.toBe(key);
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    await expect(statusOf(rotated.body.key)).resolves.toEqual(WORKS);
    api.clock.advance(3_601_000);
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    await expect(statusOf(rotated.body.key)).resolves.toEqual(WORKS);
  });

  it('ends the texts before the last two at once, and the last with no overlap', async () => {
    const { id, key: first } = await createKey();
    await expect(statusOf(first)).resolves.toEqual(WORKS);
    const second = (await manage('POST', `/${id}/rotate`)).body.key;
    await expect(statusOf(first)).resolves.toEqual(WORKS);
    const third = (await manage('POST', `/${id}/rotate`)).body.key;
    await expect(statusOf(first)).resolves.toEqual(REFUSED);
    await expect(statusOf(second)).resolves.toEqual(WORKS);
    const fourth = (await manage('POST', `/${id}/rotate`, { overlapSeconds: 0 })).body.key;
    for (const key of [first, second, third]) {
      await expect(statusOf(key)).resolves.toEqual(REFUSED);
    }
    await expect(statusOf(fourth)).resolves.toEqual(WORKS);
    await manage('DELETE', `/${id}`);
    await expect(statusOf(fourth)).resolves.toEqual(REFUSED);
  });
});

describe('the life of an API key', () => {
  it('is 90 days unless asked otherwise, and bounded', async () => {
    const { body } = await manage('POST', '', { name: 'robot', scope: READ_SOURCES });
    const days = (Date.parse(body.expiresAt) - Date.parse(body.createdAt)) / 1000 / DAY_SECONDS;
    expect(days).toBe(90);
    const tooLong = { expiresInSeconds: 366 * DAY_SECONDS };
    const created = await manage('POST', '', { name: 'robot', scope: READ_SOURCES, ...tooLong });
    expectProblem(created, 400, 'AUTH_API_KEY_LIFE');
    const rotated = await manage('POST', `/${body.id}/rotate`, { overlapSeconds: 8 * DAY_SECONDS });
    expectProblem(rotated, 400, 'AUTH_API_KEY_LIFE');
  });

  it('ends to the second, also in memory', async () => {
    const { id, key } = await createKey({ expiresInSeconds: 60 });
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    api.clock.advance(61_000);
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    const { body } = await manage('GET', `/${id}`);
    expect(body.status).toBe('expired');
  });

  it('is forgotten a month after its end, and not before', async () => {
    const { id } = await createKey();
    await manage('DELETE', `/${id}`);
    const purger = api.app.get(EndedApiKeysPurger, { strict: false });
    const isThere = async () => (await manage('GET', `/${id}`)).status === 200;
    const endedMs = api.clock.nowMs();
    await purger.purgeBatch(1_000, new Date(endedMs + 29 * DAY_SECONDS * 1_000));
    expect(await isThere()).toBe(true);
    await purger.purgeBatch(1_000, new Date(endedMs + 31 * DAY_SECONDS * 1_000));
    expect(await isThere()).toBe(false);
  });
});
