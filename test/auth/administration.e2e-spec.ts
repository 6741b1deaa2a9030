import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const PASSWORD = 'a long enough password';

let api: TestApi;
let organizations = 0;
/** Access token of the owner of a fresh organization. */
let owner: string;
let emails = 0;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  organizations += 1;
  owner = await api.register(`owner-${organizations}@example.com`);
});

function call(method: string, path: string, token: string, body?: unknown): Promise<TestAnswer> {
  return api.request(method, `/v1/auth/${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });
}

interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

async function createUser(roles: readonly string[], by = owner): Promise<NewUser> {
  emails += 1;
  const email = `user-${emails}@example.com`;
  const created = await call('POST', 'users', by, { email, password: PASSWORD, roles });
  expect(created).toMatchObject({ status: 201 });
  return { id: created.body.id, email, token: await api.login({ email, password: PASSWORD }) };
}

async function createRole(name: string, grants: readonly string[], by = owner): Promise<string> {
  const created = await call('POST', 'roles', by, {
    name,
    grants: grants.map((text) => grant(text)),
  });
  expect(created).toMatchObject({ status: 201 });
  return created.body.id;
}

/** `allow source:* read`, as the API takes it. */
function grant(text: string): { effect: string; resource: string; action: string } {
  const [effect = '', resource = '', action = ''] = text.split(' ');
  return { effect, resource, action };
}

async function may(token: string, resource: string, action: string): Promise<boolean> {
  const answer = await call('POST', 'check', token, { resource, action });
  expect(answer.status).toBe(200);
  return answer.body.allowed;
}

function expectProblem(answer: TestAnswer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
}

describe('the built-in roles', () => {
  it('give the administrator everything', async () => {
    const admin = await api.login();
    for (const [resource, action] of [
      ['source', 'create'],
      ['source:any', 'delete'],
      ['jobs', 'manage'],
      ['config', 'manage'],
      ['perf', 'read'],
    ] as const) {
      expect([resource, await may(admin, resource, action)]).toEqual([resource, true]);
    }
  });

  it('give an owner what is inside the organization, and nothing of the platform', async () => {
    const allowed = [
      ['source', 'create'],
      ['source:any', 'manage'],
      ['source:any', 'delete'],
      ['context', 'compile'],
      ['memory', 'write'],
      ['auth:users', 'manage'],
      ['auth:roles', 'manage'],
    ] as const;
    const denied = [
      ['jobs', 'read'],
      ['config', 'read'],
      ['perf', 'read'],
      ['auth', 'manage'],
    ] as const;
    for (const [resource, action] of allowed) {
      expect([resource, await may(owner, resource, action)]).toEqual([resource, true]);
    }
    for (const [resource, action] of denied) {
      expect([resource, await may(owner, resource, action)]).toEqual([resource, false]);
    }
  });

  it('give a member reading and writing, and no administration', async () => {
    const { token } = await createUser(['member']);
    const checks = [
      ['source', 'create', true],
      ['source:any', 'read', true],
      ['source:any', 'write', true],
      ['context', 'compile', true],
      ['memory', 'read', true],
      ['memory', 'write', true],
      ['source:any', 'manage', false],
      ['auth:users', 'read', false],
      ['auth:roles', 'read', false],
    ] as const;
    for (const [resource, action, allowed] of checks) {
      expect([resource, action, await may(token, resource, action)]).toEqual([
        resource,
        action,
        allowed,
      ]);
    }
    expectProblem(await call('GET', 'users', token), 403, 'AUTH_PERMISSION_DENIED');
    const create = { email: 'x@example.com', password: PASSWORD };
    expectProblem(await call('POST', 'users', token, create), 403, 'AUTH_PERMISSION_DENIED');
  });

  it('cannot be changed, deleted or imitated', async () => {
    const admin = await api.login();
    const { body } = await call('GET', 'roles', admin);
    const builtIn = body.items.filter((role: { builtIn: boolean }) => role.builtIn);
    expect(builtIn.map(({ name }: { name: string }) => name)).toEqual(['admin', 'owner', 'member']);
    for (const { id, name } of builtIn) {
      const grants = { grants: [] };
      expectProblem(
        await call('PUT', `roles/${id}/grants`, admin, grants),
        403,
        'AUTH_ROLE_BUILT_IN',
      );
      expectProblem(await call('DELETE', `roles/${id}`, admin), 403, 'AUTH_ROLE_BUILT_IN');
      expectProblem(await call('POST', 'roles', admin, { name }), 409, 'AUTH_ROLE_EXISTS');
    }
  });
});

describe('users', () => {
  it('are listed in pages, those of the own organization only', async () => {
    const created = await Promise.all([1, 2, 3, 4].map(() => createUser([])));
    const stranger = await api.register(`stranger-${organizations}@example.com`);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { status, body } = await call('GET', `users?limit=2${query}`, owner);
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ email }: { email: string }) => email));
      cursor = body.nextCursor;
    }
    const expected = [`owner-${organizations}@example.com`, ...created.map(({ email }) => email)];
    expect(seen.sort()).toEqual(expected.sort());
    const { body } = await call('GET', 'users', stranger);
    expect(body.items).toHaveLength(1);
  });

  it('are shown without anything secret', async () => {
    await createUser(['member']);
    const { body } = await call('GET', 'users', owner);
    expect(Object.keys(body.items[1]).sort()).toEqual(
      ['createdAt', 'email', 'grants', 'id', 'kind', 'roles', 'status'].sort(),
    );
  });

  it('lose access at once when they are disabled, and their sessions for good', async () => {
    const { id, email, token } = await createUser(['member']);
    const disabled = await call('PATCH', `users/${id}`, owner, { disabled: true });
    expect(disabled).toMatchObject({ status: 200, body: { id, status: 'disabled' } });
    expectProblem(await call('GET', 'me', token), 401, 'AUTH_TOKEN_INVALID');
    await expect(api.login({ email, password: PASSWORD })).rejects.toThrow(
      'AUTH_CREDENTIALS_INVALID',
    );
    const enabled = await call('PATCH', `users/${id}`, owner, { disabled: false });
    expect(enabled.body).toMatchObject({ status: 'active', roles: ['member'] });
    expectProblem(await call('GET', 'me', token), 401, 'AUTH_TOKEN_INVALID');
    await expect(api.login({ email, password: PASSWORD })).resolves.toBeDefined();
  });

  it('get and lose roles with effect from the next request', async () => {
    const { id, token } = await createUser([]);
    expect(await may(token, 'source:notes', 'read')).toBe(false);
    await createRole('reader', ['allow source:* read', 'deny source:secret *']);
    const changed = await call('PATCH', `users/${id}`, owner, { roles: ['reader', 'member'] });
    expect(changed.body.roles).toEqual(['member', 'reader']);
    expect(await may(token, 'source:notes', 'read')).toBe(true);
    expect(await may(token, 'source:secret', 'read')).toBe(false);
    await call('PATCH', `users/${id}`, owner, { roles: [] });
    expect(await may(token, 'source:notes', 'read')).toBe(false);
  });

  it('can have grants of their own, and a denial wins', async () => {
    const { id, token } = await createUser(['member']);
    const grants = [grant('allow source:notes delete'), grant('deny source:secret *')];
    const answer = await call('PUT', `users/${id}/grants`, owner, { grants });
    expect(answer).toMatchObject({ status: 200, body: { grants, roles: ['member'] } });
    expect(await may(token, 'source:notes', 'delete')).toBe(true);
    expect(await may(token, 'source:secret', 'read')).toBe(false);
    expect(await may(token, 'source:other', 'read')).toBe(true);
  });

  it('cannot be created with a role that does not exist, or an email that is taken', async () => {
    const body = { email: 'new@example.com', password: PASSWORD, roles: ['member', 'ghost'] };
    const unknown = await call('POST', 'users', owner, body);
    expectProblem(unknown, 400, 'AUTH_ROLE_UNKNOWN');
    expect(unknown.body.errors[0].path).toBe('body.roles[1]');
    const { email } = await createUser([]);
    const taken = await call('POST', 'users', owner, { email, password: PASSWORD });
    expectProblem(taken, 409, 'AUTH_EMAIL_UNAVAILABLE');
  });

  it('are created once for a request that is retried with its key', async () => {
    const request = {
      token: owner,
      body: { email: `once-${organizations}@example.com`, password: PASSWORD },
      headers: { 'idempotency-key': 'key-1' },
    };
    const first = await api.request('POST', '/v1/auth/users', request);
    const second = await api.request('POST', '/v1/auth/users', request);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
  });

  it('cannot change themselves, so that nobody locks the organization out', async () => {
    const { body } = await call('GET', 'me', owner);
    for (const change of [{ disabled: true }, { roles: [] }]) {
      expectProblem(
        await call('PATCH', `users/${body.id}`, owner, change),
        409,
        'AUTH_SELF_CHANGE',
      );
    }
    const grants = { grants: [] };
    expectProblem(
      await call('PUT', `users/${body.id}/grants`, owner, grants),
      409,
      'AUTH_SELF_CHANGE',
    );
  });
});

describe('roles', () => {
  it('are created, changed and deleted, with effect from the next request', async () => {
    const id = await createRole('editor', ['allow source:* write']);
    const { token } = await createUser(['editor']);
    expect(await may(token, 'source:a', 'write')).toBe(true);
    const grants = [grant('allow source:* read')];
    const changed = await call('PUT', `roles/${id}/grants`, owner, { grants });
    expect(changed).toMatchObject({ status: 200, body: { id, name: 'editor', grants } });
    expect(await may(token, 'source:a', 'write')).toBe(false);
    expect(await may(token, 'source:a', 'read')).toBe(true);
    const deleted = await call('DELETE', `roles/${id}`, owner);
    expect([deleted.status, deleted.body]).toEqual([204, undefined]);
    expect(await may(token, 'source:a', 'read')).toBe(false);
    expectProblem(await call('DELETE', `roles/${id}`, owner), 404, 'AUTH_ROLE_NOT_FOUND');
  });

  it('have names of their own in each organization', async () => {
    const other = await api.register(`neighbour-${organizations}@example.com`);
    await createRole('editor', []);
    await createRole('editor', [], other);
    expectProblem(await call('POST', 'roles', owner, { name: 'editor' }), 409, 'AUTH_ROLE_EXISTS');
  });

  it.each([
    { name: 'Upper' },
    { name: '' },
    { name: 'a', grants: [{ resource: 'a::b', action: 'read' }] },
    { name: 'a', grants: [{ resource: 'a:b*', action: 'read' }] },
    { name: 'a', grants: [{ resource: 'a', action: 'READ' }] },
    { name: 'a', grants: [{ resource: 'a', action: 'read', effect: 'maybe' }] },
    { name: 'a', more: true },
  ])('refuse %j', async (body) => {
    expectProblem(await call('POST', 'roles', owner, body), 400, 'VALIDATION_FAILED');
  });

  it('take the same grant twice as once', async () => {
    const twice = [grant('allow source:* read'), grant('allow source:* read')];
    const created = await call('POST', 'roles', owner, { name: 'twice', grants: twice });
    expect(created).toMatchObject({ status: 201, body: { grants: [twice[0]] } });
  });
});

describe('another organization', () => {
  it('has no users and no roles as far as this one can tell', async () => {
    const neighbour = await api.register(`tenant-${organizations}@example.com`);
    const role = await createRole('theirs', [], neighbour);
    const { body: user } = await call('GET', 'me', neighbour);
    const grants = { grants: [] };
    for (const [method, path, body, code] of [
      ['PATCH', `users/${user.id}`, { disabled: true }, 'AUTH_USER_NOT_FOUND'],
      ['PUT', `users/${user.id}/grants`, grants, 'AUTH_USER_NOT_FOUND'],
      ['PUT', `roles/${role}/grants`, grants, 'AUTH_ROLE_NOT_FOUND'],
      ['DELETE', `roles/${role}`, undefined, 'AUTH_ROLE_NOT_FOUND'],
      ['PATCH', `users/${newId()}`, { disabled: true }, 'AUTH_USER_NOT_FOUND'],
    ] as const) {
      expectProblem(await call(method, path, owner, body), 404, code);
      // Not even for the administrator of the platform.
      expectProblem(await call(method, path, await api.login(), body), 404, code);
    }
    const create = { email: 'spy@example.com', password: PASSWORD, roles: ['theirs'] };
    expectProblem(await call('POST', 'users', owner, create), 400, 'AUTH_ROLE_UNKNOWN');
    const { body: roles } = await call('GET', 'roles', owner);
    expect(roles.items.map(({ name }: { name: string }) => name)).not.toContain('theirs');
  });
});

describe('delegation', () => {
  it('lets nobody give more than they have', async () => {
    const create = { email: 'boss@example.com', password: PASSWORD, roles: ['admin'] };
    expectProblem(await call('POST', 'users', owner, create), 403, 'AUTH_GRANT_EXCEEDS_OWN');
    const { id } = await createUser(['member']);
    const promote = { roles: ['admin'] };
    expectProblem(
      await call('PATCH', `users/${id}`, owner, promote),
      403,
      'AUTH_GRANT_EXCEEDS_OWN',
    );
    for (const beyond of [
      'allow * *',
      'allow jobs read',
      'allow *:notes read',
      'allow auth:* read',
    ]) {
      const grants = { grants: [grant(beyond)] };
      const direct = await call('PUT', `users/${id}/grants`, owner, grants);
      expectProblem(direct, 403, 'AUTH_GRANT_EXCEEDS_OWN');
      const role = await call('POST', 'roles', owner, { name: 'big', ...grants });
      expectProblem(role, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    }
  });

  it('does not let a manager of users make themselves an owner through somebody else', async () => {
    await createRole('clerk', ['allow auth:users *']);
    const clerk = await createUser(['clerk']);
    const accomplice = await createUser([]);
    for (const role of ['owner', 'member']) {
      const change = { roles: [role] };
      const answer = await call('PATCH', `users/${accomplice.id}`, clerk.token, change);
      expectProblem(answer, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    }
    const same = await call('PATCH', `users/${accomplice.id}`, clerk.token, { roles: ['clerk'] });
    expect(same.status).toBe(200);
  });

  it('does not let anybody disable or demote those who may do more', async () => {
    await createRole('clerk', ['allow auth:users *']);
    const clerk = await createUser(['clerk']);
    const { body: boss } = await call('GET', 'me', owner);
    for (const change of [{ disabled: true }, { roles: [] }]) {
      const answer = await call('PATCH', `users/${boss.id}`, clerk.token, change);
      expectProblem(answer, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    }
  });

  it('does not let anybody lift a denial that binds themselves', async () => {
    const id = await createRole('bound', [
      'allow auth:roles *',
      'allow source:* *',
      'deny source:secret *',
    ]);
    const bound = await createUser(['bound']);
    for (const grants of [[], ['allow source:* *'], ['allow source:secret read']]) {
      const body = { grants: grants.map((text) => grant(text)) };
      const answer = await call('PUT', `roles/${id}/grants`, bound.token, body);
      expectProblem(answer, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    }
    const create = { name: 'way-out', grants: [grant('allow source:* read')] };
    expectProblem(await call('POST', 'roles', bound.token, create), 403, 'AUTH_GRANT_EXCEEDS_OWN');
    const within = { name: 'within', grants: [grant('allow source:notes read')] };
    expect((await call('POST', 'roles', bound.token, within)).status).toBe(201);
  });
});

describe('POST /v1/auth/check', () => {
  it('tells which grant decides', async () => {
    await createRole('careful', [
      'allow source:* *',
      'allow source:notes read',
      'deny source:secret *',
    ]);
    const { token } = await createUser(['careful']);
    const ask = async (resource: string, action: string) =>
      (await call('POST', 'check', token, { resource, action })).body;
    expect(await ask('source:notes', 'read')).toEqual({
      allowed: true,
      reason: 'granted',
      decidedBy: grant('allow source:notes read'),
    });
    expect(await ask('source:secret', 'read')).toEqual({
      allowed: false,
      reason: 'denied',
      decidedBy: grant('deny source:secret *'),
    });
    expect(await ask('jobs', 'read')).toEqual({ allowed: false, reason: 'not-granted' });
  });

  it('answers many questions in their order', async () => {
    const checks = Array.from({ length: 500 }, (_, index) => ({
      resource: index % 2 === 0 ? 'source:notes' : 'nothing',
      action: 'read',
    }));
    const answer = await call('POST', 'check', owner, { checks });
    expect(answer.status).toBe(200);
    expect(answer.body.results.map(({ allowed }: { allowed: boolean }) => allowed)).toEqual(
      checks.map((_, index) => index % 2 === 0),
    );
  });

  const good = { resource: 'a', action: 'read' };

  it.each([
    [{ resource: 'a:*', action: 'read' }, ['body.resource']],
    [{ resource: '', action: 'read' }, ['body.resource']],
    [{ resource: 'a' }, ['body.action']],
    [{ checks: [] }, ['body.checks']],
    [{ checks: [good, { ...good, action: 'Read' }] }, ['body.checks[1].action']],
    [{ checks: [good, { resource: 'a' }] }, ['body.checks[1].action']],
    [{ checks: Array.from({ length: 501 }, () => good) }, ['body.checks']],
    [{ ...good, checks: [good] }, ['body']],
  ])('refuses %j, at %j', async (body, paths) => {
    const answer = await call('POST', 'check', owner, body);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });
});
