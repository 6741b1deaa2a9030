import { describe, expect, it } from '@jest/globals';
import { expectProblem } from './expect-problem.js';
import { grant, organizationHarness, PASSWORD } from './organization-harness.js';

const organization = organizationHarness();
const { call, createRole, createUser, may } = organization;

describe('users', () => {
  it('are listed in pages, those of the own organization only', async () => {
    const created = await Promise.all([1, 2, 3, 4].map(() => createUser([])));
    const stranger = await organization.api.register(`stranger-${organization.number}@example.com`);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { status, body } = await call('GET', `users?limit=2${query}`, organization.owner);
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ email }: { email: string }) => email));
      cursor = body.nextCursor;
    }
    const expected = [
      `owner-${organization.number}@example.com`,
      ...created.map(({ email }) => email),
    ];
    expect(seen.sort()).toEqual(expected.sort());
    const { body } = await call('GET', 'users', stranger);
    expect(body.items).toHaveLength(1);
  });

  it('are shown without anything secret', async () => {
    await createUser(['member']);
    const { body } = await call('GET', 'users', organization.owner);
    expect(Object.keys(body.items[1]).sort()).toEqual(
      ['createdAt', 'email', 'grants', 'id', 'kind', 'roles', 'status'].sort(),
    );
  });

  it('lose access at once when they are disabled, and their sessions for good', async () => {
    const { id, email, token } = await createUser(['member']);
    const disabled = await call('PATCH', `users/${id}`, organization.owner, { disabled: true });
    expect(disabled).toMatchObject({ status: 200, body: { id, status: 'disabled' } });
    expectProblem(await call('GET', 'me', token), 401, 'AUTH_TOKEN_INVALID');
    await expect(organization.api.login({ email, password: PASSWORD })).rejects.toThrow(
      'AUTH_CREDENTIALS_INVALID',
    );
    const enabled = await call('PATCH', `users/${id}`, organization.owner, { disabled: false });
    expect(enabled.body).toMatchObject({ status: 'active', roles: ['member'] });
    expectProblem(await call('GET', 'me', token), 401, 'AUTH_TOKEN_INVALID');
    await expect(organization.api.login({ email, password: PASSWORD })).resolves.toBeDefined();
  });

  it('get and lose roles with effect from the next request', async () => {
    const { id, token } = await createUser([]);
    expect(await may(token, 'source:notes', 'read')).toBe(false);
    await createRole('reader', ['allow source:* read', 'deny source:secret *']);
    const changed = await call('PATCH', `users/${id}`, organization.owner, {
      roles: ['reader', 'member'],
    });
    expect(changed.body.roles).toEqual(['member', 'reader']);
    expect(await may(token, 'source:notes', 'read')).toBe(true);
    expect(await may(token, 'source:secret', 'read')).toBe(false);
    await call('PATCH', `users/${id}`, organization.owner, { roles: [] });
    expect(await may(token, 'source:notes', 'read')).toBe(false);
  });

  it('can have grants of their own, and a denial wins', async () => {
    const { id, token } = await createUser(['member']);
    const grants = [grant('allow source:notes delete'), grant('deny source:secret *')];
    const answer = await call('PUT', `users/${id}/grants`, organization.owner, { grants });
    expect(answer).toMatchObject({ status: 200, body: { grants, roles: ['member'] } });
    expect(await may(token, 'source:notes', 'delete')).toBe(true);
    expect(await may(token, 'source:secret', 'read')).toBe(false);
    expect(await may(token, 'source:other', 'read')).toBe(true);
  });

  it('cannot be created with a role that does not exist, or an email that is taken', async () => {
    const body = { email: 'new@example.com', password: PASSWORD, roles: ['member', 'ghost'] };
    const unknown = await call('POST', 'users', organization.owner, body);
    expectProblem(unknown, 400, 'AUTH_ROLE_UNKNOWN');
    expect(unknown.body.errors[0].path).toBe('body.roles[1]');
    const { email } = await createUser([]);
    const taken = await call('POST', 'users', organization.owner, { email, password: PASSWORD });
    expectProblem(taken, 409, 'AUTH_EMAIL_UNAVAILABLE');
  });

  it('are created once for a request that is retried with its key', async () => {
    const request = {
      token: organization.owner,
      body: { email: `once-${organization.number}@example.com`, password: PASSWORD },
      headers: { 'idempotency-key': 'key-1' },
    };
    const first = await organization.api.request('POST', '/v1/auth/users', request);
    const second = await organization.api.request('POST', '/v1/auth/users', request);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
  });

  it('cannot change themselves, so that nobody locks the organization out', async () => {
    const { body } = await call('GET', 'me', organization.owner);
    for (const change of [{ disabled: true }, { roles: [] }]) {
      expectProblem(
        await call('PATCH', `users/${body.id}`, organization.owner, change),
        409,
        'AUTH_SELF_CHANGE',
      );
    }
    const grants = { grants: [] };
    expectProblem(
      await call('PUT', `users/${body.id}/grants`, organization.owner, grants),
      409,
      'AUTH_SELF_CHANGE',
    );
  });
});
