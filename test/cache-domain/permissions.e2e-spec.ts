import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contextClient } from '../context/context-fixtures.js';
import type { TestAnswer, TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';
import { BACKPLANES, type Instances, startInstances } from './instances.js';

const PASSWORD = 'a long enough password';

let instances: Instances;
let owner: string;
let users = 0;

function call(
  api: TestApi,
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<TestAnswer> {
  return api.request(method, path, { token, ...(body === undefined ? {} : { body }) });
}

/** A user of the organization whom both instances know. */
async function knownUser(
  roles: readonly string[],
): Promise<{ id: string; token: string; email: string }> {
  users += 1;
  const email = `user-${users}@test.example`;
  const body = { email, password: PASSWORD, roles };
  const created = await call(instances.a, 'POST', '/v1/auth/users', owner, body);
  expect(created.status).toBe(201);
  const token = await instances.a.login({ email, password: PASSWORD });
  for (const api of [instances.a, instances.b, instances.a, instances.b]) {
    expect((await call(api, 'GET', '/v1/auth/me', token)).body.email).toBe(email);
  }
  return { id: String(created.body.id), token, email };
}

async function may(api: TestApi, token: string, action: string): Promise<boolean> {
  const body = { resource: 'source:any', action };
  const answer = await call(api, 'POST', '/v1/auth/check', token, body);
  expect(answer.status).toBe(200);
  return answer.body.allowed as boolean;
}

describe.each(BACKPLANES)('with %s between the instances', (backplane) => {
  beforeAll(async () => {
    instances = await startInstances(backplane, testRedisUrl());
    owner = await instances.a.register('owner@test.example');
  }, 60_000);
  afterAll(() => instances.close(), 60_000);

  it('roles that are taken or given hold on every instance from the next request', async () => {
    const { id, token } = await knownUser(['member']);
    for (let round = 0; round < 5; round += 1) {
      for (const [roles, allowed] of [
        [[], false],
        [['member'], true],
      ] as const) {
        const changed = await call(instances.a, 'PATCH', `/v1/auth/users/${id}`, owner, { roles });
        expect(changed.status).toBe(200);
        expect(await may(instances.b, token, 'write')).toBe(allowed);
        expect(await may(instances.a, token, 'write')).toBe(allowed);
      }
    }
  });

  it('grants of a user hold on every instance from the next request', async () => {
    const { id, token } = await knownUser(['member']);
    const grants = [{ resource: 'source:*', action: 'read', effect: 'deny' }];
    await call(instances.a, 'PUT', `/v1/auth/users/${id}/grants`, owner, { grants });
    expect(await may(instances.b, token, 'read')).toBe(false);
    await call(instances.b, 'PUT', `/v1/auth/users/${id}/grants`, owner, { grants: [] });
    expect(await may(instances.a, token, 'read')).toBe(true);
  });

  it('grants of a role hold for everybody who has it, and so does its end', async () => {
    const grants = [{ resource: 'source:*', action: 'manage', effect: 'allow' }];
    const name = `keeper-${backplane.toLowerCase()}`;
    const role = await call(instances.a, 'POST', '/v1/auth/roles', owner, { name, grants });
    expect(role.status).toBe(201);
    const holders = [await knownUser([name]), await knownUser([name, 'member'])];
    for (const { token } of holders) expect(await may(instances.b, token, 'manage')).toBe(true);
    await call(instances.a, 'PUT', `/v1/auth/roles/${role.body.id}/grants`, owner, { grants: [] });
    for (const { token } of holders) expect(await may(instances.b, token, 'manage')).toBe(false);
    await call(instances.b, 'PUT', `/v1/auth/roles/${role.body.id}/grants`, owner, { grants });
    for (const { token } of holders) expect(await may(instances.a, token, 'manage')).toBe(true);
    const deleted = await call(instances.a, 'DELETE', `/v1/auth/roles/${role.body.id}`, owner);
    expect(deleted.status).toBe(204);
    for (const { token } of holders) expect(await may(instances.b, token, 'manage')).toBe(false);
  });

  it('a user who is disabled, or logs out, is out on every instance', async () => {
    const disabled = await knownUser(['member']);
    const { status } = await call(instances.a, 'PATCH', `/v1/auth/users/${disabled.id}`, owner, {
      disabled: true,
    });
    expect(status).toBe(200);
    const left = await knownUser(['member']);
    expect((await call(instances.b, 'POST', '/v1/auth/logout', left.token)).status).toBe(204);
    for (const { token } of [disabled, left]) {
      for (const api of [instances.a, instances.b]) {
        expect((await call(api, 'GET', '/v1/auth/me', token)).status).toBe(401);
      }
    }
  });

  it('a context that is cached is not given to who may not read its sources any more', async () => {
    const { id, token } = await knownUser(['member']);
    const boss = contextClient(instances.a, owner);
    const name = `shared-${users}`;
    await boss.makeSource(name, { scope: 'organization' });
    await boss.addEntry(name, { text: 'For members only' });
    const request = { sources: [{ id: name }] };
    const member = contextClient(instances.b, token);
    // The search index follows an entry a moment later, and evicts once more.
    let level: string | null = null;
    for (let tries = 0; level !== 'L1' && tries < 50; tries += 1) {
      level = (await member.compile(request)).headers.get('x-cache');
    }
    expect(level).toBe('L1');
    const grants = [{ resource: `source:${name}`, action: 'read', effect: 'deny' }];
    await call(instances.a, 'PUT', `/v1/auth/users/${id}/grants`, owner, { grants });
    expect((await member.compile(request)).body).toMatchObject({
      status: 403,
      code: 'SOURCE_FORBIDDEN',
    });
    // Others of the organization share what was compiled; those of another one do not know the source.
    const shared = await contextClient(instances.b, owner).compile(request);
    expect([shared.status, shared.headers.get('x-cache')]).toEqual([200, 'L1']);
    const stranger = await instances.b.register(`stranger-${users}@test.example`);
    expect((await contextClient(instances.b, stranger).compile(request)).status).toBe(404);
  });

  it('an API key that is limited, rotated or revoked is so on every instance', async () => {
    const { id, token } = await knownUser(['member']);
    const scope = [
      { resource: 'source:*', action: 'read' },
      { resource: 'source:*', action: 'write' },
    ];
    const body = { name: 'robot', scope };
    const created = await call(instances.a, 'POST', '/v1/auth/api-keys', token, body);
    const path = `/v1/auth/api-keys/${created.body.id}`;
    const statusesOf = (key: string) =>
      Promise.all(
        [instances.b, instances.a].map(async (api) => {
          const { status } = await call(api, 'GET', '/v1/auth/me', key);
          return status;
        }),
      );
    const first = String(created.body.key);
    expect(await statusesOf(first)).toEqual([200, 200]);
    expect(await may(instances.b, first, 'write')).toBe(true);
    await call(instances.a, 'PATCH', path, token, { scope: scope.slice(0, 1) });
    expect(await may(instances.b, first, 'write')).toBe(false);
    const rotation = { overlapSeconds: 0 };
    const rotated = await call(instances.a, 'POST', `${path}/rotate`, token, rotation);
    const second = String(rotated.body.key);
    expect(await statusesOf(first)).toEqual([401, 401]);
    expect(await statusesOf(second)).toEqual([200, 200]);
    for (const [disabled, status] of [
      [true, 401],
      [false, 200],
    ] as const) {
      await call(instances.a, 'PATCH', `/v1/auth/users/${id}`, owner, { disabled });
      expect(await statusesOf(second)).toEqual([status, status]);
    }
    const { email } = (await call(instances.b, 'GET', '/v1/auth/me', second)).body;
    const session = await instances.b.login({ email, password: PASSWORD });
    expect((await call(instances.b, 'DELETE', path, session)).status).toBe(204);
    expect(await statusesOf(second)).toEqual([401, 401]);
  });

  it('a principal is read from the database once for many requests', async () => {
    const { token } = await knownUser(['member']);
    const { dataSource } = instances.b.platform;
    let statements = 0;
    const query = dataSource.query.bind(dataSource);
    dataSource.query = ((...parameters: Parameters<typeof query>) => {
      if (parameters[0].includes('user_session')) statements += 1;
      return query(...parameters);
    }) as typeof dataSource.query;
    for (let request = 0; request < 20; request += 1) {
      expect((await call(instances.b, 'GET', '/v1/auth/me', token)).status).toBe(200);
    }
    dataSource.query = query;
    expect(statements).toBe(0);
  });
});
