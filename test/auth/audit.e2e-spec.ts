import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditWriter } from '../../libs/auth/src/audit/audit-writer.js';
import { SecurityEventPurger } from '../../libs/auth/src/audit/security-event.purger.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const PASSWORD = 'a long enough password';
const DAY_MS = 86_400_000;

interface Event {
  readonly id: string;
  readonly type: string;
  readonly outcome: string;
  readonly actorId: string | null;
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly targetId: string | null;
  readonly occurrences: number;
  readonly occurredAt: string;
  readonly details: Readonly<Record<string, unknown>>;
}

let api: TestApi;
let organizations = 0;
/** Of a fresh organization. */
let owner: { token: string; id: string; organizationId: string };

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  organizations += 1;
  const token = await api.register(`auditor-${organizations}@example.com`);
  const { body } = await api.request('GET', '/v1/auth/me', { token });
  owner = { token, id: body.id, organizationId: body.organizationId };
});

function send(method: string, path: string, body?: unknown, token = owner.token) {
  return api.request(method, path, { token, ...(body === undefined ? {} : { body }) });
}

async function events(query = '', token = owner.token): Promise<Event[]> {
  await api.app.get(AuditWriter, { strict: false }).flush();
  const answer = await send('GET', `/v1/audit/events?limit=200&${query}`, undefined, token);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body.items;
}

async function createUser(): Promise<{ id: string; email: string }> {
  const email = `clerk-${organizations}@example.com`;
  const { body } = await send('POST', '/v1/auth/users', { email, password: PASSWORD });
  return { id: body.id, email };
}

function expectProblem(answer: TestAnswer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
}

describe('the record of security events', () => {
  it('tells who changed whose permissions, from what to what, from where and in which request', async () => {
    const { id } = await createUser();
    const grants = [{ resource: 'source:*', action: 'read', effect: 'allow' }];
    const created = await send('POST', '/v1/auth/roles', { name: 'reader', grants });
    await send('PUT', `/v1/auth/roles/${created.body.id}/grants`, { grants: [] });
    const roles = await send('PATCH', `/v1/auth/users/${id}`, { roles: ['reader'] });
    await send('PUT', `/v1/auth/users/${id}/grants`, { grants });
    await send('PATCH', `/v1/auth/users/${id}`, { disabled: true });
    await send('PATCH', `/v1/auth/users/${id}`, { disabled: false });
    await send('DELETE', `/v1/auth/roles/${created.body.id}`);
    const all = await events();
    expect(all.map(({ type }) => type).filter((type) => /user-|role-/.test(type))).toEqual([
      'role-deleted',
      'user-enabled',
      'user-disabled',
      'user-grants-changed',
      'user-roles-changed',
      'role-grants-changed',
      'role-created',
      'user-created',
    ]);
    const changed = all.find(({ type }) => type === 'user-roles-changed');
    expect(changed).toMatchObject({
      outcome: 'succeeded',
      actorId: owner.id,
      userId: id,
      organizationId: owner.organizationId,
      address: '127.0.0.1',
      userAgent: expect.stringMatching(/./),
      requestId: roles.headers.get('x-request-id'),
      details: { before: ['member'], after: ['reader'] },
    });
    expect(all.find(({ type }) => type === 'role-grants-changed')).toMatchObject({
      targetKind: 'role',
      targetId: created.body.id,
      details: { before: grants, after: [] },
    });
  });

  it('tells of every change of an API key, and never its text', async () => {
    const scope = [{ resource: 'source', action: 'read' }];
    const { body } = await send('POST', '/v1/auth/api-keys', { name: 'robot', scope });
    await send('PATCH', `/v1/auth/api-keys/${body.id}`, { name: 'other' });
    await send('POST', `/v1/auth/api-keys/${body.id}/rotate`);
    await send('DELETE', `/v1/auth/api-keys/${body.id}`);
    const seen = await events(`targetId=${body.id}`);
    expect(seen.map(({ type }) => type)).toEqual([
      'api-key-revoked',
      'api-key-rotated',
      'api-key-changed',
      'api-key-created',
    ]);
    expect(JSON.stringify(seen)).not.toContain('pan_');
  });

  it('stores a change with its event or not at all', async () => {
    const beyond = [{ resource: '*', action: '*' }];
    const refused = await send('POST', '/v1/auth/roles', { name: 'root', grants: beyond });
    expectProblem(refused, 403, 'AUTH_GRANT_EXCEEDS_OWN');
    expect((await events()).map(({ type }) => type)).not.toContain('role-created');
    await api.platform.dataSource.query('ALTER TABLE security_event RENAME TO elsewhere');
    try {
      const failed = await send('POST', '/v1/auth/roles', { name: 'ghost', grants: [] });
      expect(failed.status).toBe(500);
    } finally {
      await api.platform.dataSource.query('ALTER TABLE elsewhere RENAME TO security_event');
    }
    const { body } = await send('GET', '/v1/auth/roles');
    expect(body.items.map(({ name }: { name: string }) => name)).not.toContain('ghost');
  });

  it('tells log-ins, and failures of somebody unknown as nobody’s', async () => {
    const { id, email } = await createUser();
    await api.login({ email, password: PASSWORD });
    for (const attempt of [email, 'nobody@example.com']) {
      const body = { email: attempt, password: 'wrong password here' };
      expect((await api.request('POST', '/v1/auth/login', { body })).status).toBe(401);
    }
    const logins = await events(`type=login&userId=${id}`);
    expect(logins).toMatchObject([
      { outcome: 'failed', actorId: null, userId: id, organizationId: owner.organizationId },
      { outcome: 'succeeded', actorId: id, userId: id },
    ]);
    const unknown = await events('type=login&outcome=failed', await api.login());
    expect(unknown.some(({ userId }) => userId === null)).toBe(true);
    expect(JSON.stringify(unknown)).not.toMatch(/wrong password|nobody@/);
  });

  it('tells denials, one row for those alike', async () => {
    for (let at = 0; at < 5; at += 1) await send('GET', '/v1/jobs');
    const denied = await events('type=access-denied');
    expect(denied).toMatchObject([
      {
        outcome: 'refused',
        actorId: owner.id,
        occurrences: 5,
        details: { code: 'AUTH_PERMISSION_DENIED', route: '/v1/jobs' },
      },
    ]);
  });

  it('tells that a forged token or key came, and from where', async () => {
    const forged = `pan_${'0'.repeat(65)}`;
    for (const token of ['forged', forged]) {
      expect((await send('GET', '/v1/auth/me', undefined, token)).status).toBe(401);
    }
    const seen = await events('type=credential-refused', await api.login());
    const codes = seen.map(({ details }) => details['code']);
    expect(codes).toEqual(expect.arrayContaining(['AUTH_TOKEN_INVALID', 'AUTH_API_KEY_INVALID']));
    expect(JSON.stringify(seen)).not.toContain(forged);
  });
});

describe('GET /v1/audit/events', () => {
  it('shows an organization its own events alone, and the administrator of the platform all', async () => {
    const other = { token: owner.token, organizationId: owner.organizationId };
    await createUser();
    const token = await api.register(`second-auditor-${organizations}@example.com`);
    const own = await events('', token);
    expect(own.length).toBeGreaterThan(0);
    expect(own.some(({ organizationId }) => organizationId === other.organizationId)).toBe(false);
    const asked = `/v1/audit/events?organizationId=${other.organizationId}`;
    expectProblem(await send('GET', asked, undefined, token), 403, 'AUTH_PERMISSION_DENIED');
    const all = await events(`organizationId=${other.organizationId}`, await api.login());
    expect(all.map(({ type }) => type)).toContain('user-created');
    expect(new Set(all.map(({ organizationId }) => organizationId)).size).toBe(1);
  });

  it('shows everybody what happened to their own account, and nothing of others', async () => {
    const { id, email } = await createUser();
    await api.request('POST', '/v1/auth/login', { body: { email, password: 'a wrong password' } });
    const token = await api.login({ email, password: PASSWORD });
    await api.app.get(AuditWriter, { strict: false }).flush();
    const { status, body } = await send('GET', '/v1/audit/events/own', undefined, token);
    expect(status).toBe(200);
    const seen = body.items.map(({ type, outcome }: Event) => `${type} ${outcome}`);
    expect(seen.filter((text: string) => !text.startsWith('session-anomaly'))).toEqual([
      'login succeeded',
      'login failed',
      'user-created succeeded',
    ]);
    expect(body.items.every(({ userId }: Event) => userId === id)).toBe(true);
  });

  it('is not for members', async () => {
    const { email } = await createUser();
    const token = await api.login({ email, password: PASSWORD });
    const answer = await send('GET', '/v1/audit/events', undefined, token);
    expectProblem(answer, 403, 'AUTH_PERMISSION_DENIED');
  });

  it('gives pages, the newest first, none twice and none left out', async () => {
    for (let at = 0; at < 7; at += 1) {
      await send('POST', '/v1/auth/roles', { name: `role-${at}`, grants: [] });
    }
    await api.app.get(AuditWriter, { strict: false }).flush();
    const names: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await send('GET', `/v1/audit/events?type=role-created&limit=3${next}`);
      names.push(...body.items.map(({ details }: Event) => details['name']));
      cursor = body.nextCursor;
    }
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((at) => `role-${at}`));
  });

  it('finds by outcome and time, and refuses what is no time', async () => {
    await send('GET', '/v1/jobs');
    const refused = await events('outcome=refused');
    expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
    const at = encodeURIComponent(refused[0]?.occurredAt ?? '');
    expect(await events(`outcome=refused&to=${at}`)).toEqual([]);
    expect(await events(`outcome=refused&from=${at}`)).toEqual(refused);
    const wrong = await send('GET', '/v1/audit/events?from=yesterday');
    expectProblem(wrong, 400, 'VALIDATION_FAILED');
  });
});

describe('the table of security events', () => {
  it('refuses to be changed or emptied', async () => {
    await createUser();
    for (const sql of [
      "UPDATE security_event SET type = 'nothing'",
      'DELETE FROM security_event',
      'TRUNCATE security_event',
    ]) {
      await expect(api.platform.dataSource.query(sql)).rejects.toThrow('append-only');
    }
  });

  it('lets go of what is older than the retention, and of nothing else', async () => {
    const { id } = await createUser();
    const purger = api.app.get(SecurityEventPurger, { strict: false });
    const count = async () => (await events(`userId=${id}`)).length;
    const before = await count();
    await purger.purgeBatch(1_000, new Date(Date.now() + 364 * DAY_MS));
    expect(await count()).toBe(before);
    await purger.purgeBatch(1_000, new Date(Date.now() + 366 * DAY_MS));
    expect(await count()).toBe(0);
  });
});
