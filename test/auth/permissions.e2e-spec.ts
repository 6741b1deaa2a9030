import { describe, expect, it } from '@jest/globals';
import { expectProblem } from './expect-problem.js';
import { grant, organizationHarness, PASSWORD } from './organization-harness.js';

const organization = organizationHarness();
const { call, createRole, createUser } = organization;

describe('delegation', () => {
  it('lets nobody give more than they have', async () => {
    const create = { email: 'boss@example.com', password: PASSWORD, roles: ['admin'] };
    expectProblem(
      await call('POST', 'users', organization.owner, create),
      403,
      'AUTH_GRANT_EXCEEDS_OWN',
    );
    const { id } = await createUser(['member']);
    const promote = { roles: ['admin'] };
    expectProblem(
      await call('PATCH', `users/${id}`, organization.owner, promote),
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
      const direct = await call('PUT', `users/${id}/grants`, organization.owner, grants);
      expectProblem(direct, 403, 'AUTH_GRANT_EXCEEDS_OWN');
      const role = await call('POST', 'roles', organization.owner, { name: 'big', ...grants });
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
    const { body: boss } = await call('GET', 'me', organization.owner);
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
    const answer = await call('POST', 'check', organization.owner, { checks });
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
    const answer = await call('POST', 'check', organization.owner, body);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });
});
