import { describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { expectProblem } from './expect-problem.js';
import { grant, organizationHarness, PASSWORD } from './organization-harness.js';

const organization = organizationHarness();
const { call, createRole, createUser, may } = organization;

describe('the built-in roles', () => {
  it('give the administrator everything', async () => {
    const admin = await organization.api.login();
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
      expect([resource, await may(organization.owner, resource, action)]).toEqual([resource, true]);
    }
    for (const [resource, action] of denied) {
      expect([resource, await may(organization.owner, resource, action)]).toEqual([
        resource,
        false,
      ]);
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
    const admin = await organization.api.login();
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

describe('roles', () => {
  it('are created, changed and deleted, with effect from the next request', async () => {
    const id = await createRole('editor', ['allow source:* write']);
    const { token } = await createUser(['editor']);
    expect(await may(token, 'source:a', 'write')).toBe(true);
    const grants = [grant('allow source:* read')];
    const changed = await call('PUT', `roles/${id}/grants`, organization.owner, { grants });
    expect(changed).toMatchObject({ status: 200, body: { id, name: 'editor', grants } });
    expect(await may(token, 'source:a', 'write')).toBe(false);
    expect(await may(token, 'source:a', 'read')).toBe(true);
    const deleted = await call('DELETE', `roles/${id}`, organization.owner);
    expect([deleted.status, deleted.body]).toEqual([204, undefined]);
    expect(await may(token, 'source:a', 'read')).toBe(false);
    expectProblem(
      await call('DELETE', `roles/${id}`, organization.owner),
      404,
      'AUTH_ROLE_NOT_FOUND',
    );
  });

  it('have names of their own in each organization', async () => {
    const other = await organization.api.register(`neighbour-${organization.number}@example.com`);
    await createRole('editor', []);
    await createRole('editor', [], other);
    expectProblem(
      await call('POST', 'roles', organization.owner, { name: 'editor' }),
      409,
      'AUTH_ROLE_EXISTS',
    );
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
    expectProblem(await call('POST', 'roles', organization.owner, body), 400, 'VALIDATION_FAILED');
  });

  it('take the same grant twice as once', async () => {
    const twice = [grant('allow source:* read'), grant('allow source:* read')];
    const created = await call('POST', 'roles', organization.owner, {
      name: 'twice',
      grants: twice,
    });
    expect(created).toMatchObject({ status: 201, body: { grants: [twice[0]] } });
  });
});

describe('another organization', () => {
  it('has no users and no roles as far as this one can tell', async () => {
    const neighbour = await organization.api.register(`tenant-${organization.number}@example.com`);
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
      expectProblem(await call(method, path, organization.owner, body), 404, code);
      // Not even for the administrator of the platform.
      expectProblem(await call(method, path, await organization.api.login(), body), 404, code);
    }
    const create = { email: 'spy@example.com', password: PASSWORD, roles: ['theirs'] };
    expectProblem(
      await call('POST', 'users', organization.owner, create),
      400,
      'AUTH_ROLE_UNKNOWN',
    );
    const { body: roles } = await call('GET', 'roles', organization.owner);
    expect(roles.items.map(({ name }: { name: string }) => name)).not.toContain('theirs');
  });
});
