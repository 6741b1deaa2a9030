import { describe, expect, it } from '@jest/globals';
import { apiKeysHarness, READ_SOURCES, REFUSED, WORKS } from './api-keys-harness.js';
import { expectProblem } from './expect-problem.js';

const keys = apiKeysHarness();
const { createKey, manage, statusOf, withKey } = keys;

describe('an API key', () => {
  it('is taken in either header, and not in both or beside a token', async () => {
    const { key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    const bearer = await keys.api.request('GET', '/v1/sources', { token: key });
    expect(bearer.status).toBe(200);
    for (const token of [key, keys.owner]) {
      const both = await keys.api.request('GET', '/v1/sources', {
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
      email: `keys-${keys.number}@example.com`,
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
    const twice = await keys.api.request('GET', '/v1/sources', {
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
      await keys.api.request('POST', '/v1/auth/logout', { token: key }),
      401,
      'AUTH_TOKEN_INVALID',
    );
    await expect(statusOf(key)).resolves.toEqual(WORKS);
  });

  it('loses at once what its owner loses', async () => {
    const created = await keys.api.request('POST', '/v1/auth/users', {
      token: keys.owner,
      body: { email: `member-${keys.number}@example.com`, password: 'a long enough password' },
    });
    const token = await keys.api.login({
      email: `member-${keys.number}@example.com`,
      password: 'a long enough password',
    });
    const { body } = await manage('POST', '', { name: 'robot', scope: READ_SOURCES }, token);
    await expect(statusOf(body.key)).resolves.toEqual(WORKS);
    const change = (changes: object) =>
      keys.api.request('PATCH', `/v1/auth/users/${created.body.id}`, {
        token: keys.owner,
        body: changes,
      });
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
    const stranger = await keys.api.register(`stranger-${keys.number}@example.com`);
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
});
