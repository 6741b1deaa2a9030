import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JobQueue, purgeExpired } from '#libs/jobs';
import { testRedisUrl } from '../support/database.js';
import { startTestApi, type TestApi } from '../support/app.js';

const BOARD = '/v1/jobs/board';
const PAGE = { accept: 'text/html,application/xhtml+xml' };

describe.each([
  ['PostgreSQL', () => ({})],
  [
    'Redis',
    () => ({
      REDIS_URL: testRedisUrl(),
      PANTHEON_REDIS_KEY_PREFIX: `board-${process.pid}-${Date.now()}`,
    }),
  ],
])('the job board with jobs on %s', (_, settings) => {
  let api: TestApi;
  let administrator: string;

  beforeAll(async () => {
    api = await startTestApi({ ...settings(), PANTHEON_JOBS_IN_PROCESS: 'false' });
    administrator = await api.login();
  });

  afterAll(() => api?.close());

  /** Opens a session and returns the cookie as a browser would send it. */
  async function signIn(token: string): Promise<string> {
    const answer = await api.request('POST', `${BOARD}/session`, { token });
    expect(answer.status).toBe(204);
    return String(answer.headers.get('set-cookie')).split(';')[0] ?? '';
  }

  /** A user of the administrator's organization whose grants are just these. */
  async function userWith(grants: readonly object[]): Promise<string> {
    const name = `role-${grants.length}-${Math.random().toString(36).slice(2)}`;
    const as = { token: administrator };
    const role = await api.request('POST', '/v1/auth/roles', { ...as, body: { name } });
    const path = `/v1/auth/roles/${role.body.id}/grants`;
    await api.request('PUT', path, { ...as, body: { grants } });
    const credentials = { email: `${name}@test.example`, password: 'a long enough password' };
    const user = await api.request('POST', '/v1/auth/users', {
      ...as,
      body: { ...credentials, roles: [name] },
    });
    expect(user.status).toBe(201);
    return api.login(credentials);
  }

  it('gives a cookie for its own paths alone, that scripts and other sites cannot use', async () => {
    const answer = await api.request('POST', `${BOARD}/session`, { token: administrator });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^pantheon_job_board=[\w-]{43}; Path=\/v1\/jobs\/board; Max-Age=900; HttpOnly; SameSite=Strict$/,
    );
  });

  it('marks the cookie as secure behind TLS', async () => {
    const secure = await startTestApi({ PANTHEON_HTTP_TRUST_PROXY: 'true' });
    try {
      const answer = await secure.request('POST', `${BOARD}/session`, {
        token: await secure.login(),
        headers: { 'x-forwarded-proto': 'https' },
      });
      expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/);
    } finally {
      await secure.close();
    }
  });

  it('is closed without a session: pages ask who is there, everything else is refused', async () => {
    const page = await api.request('GET', BOARD, { headers: PAGE });
    expect(page.status).toBe(401);
    expect(page.body).toContain('<form>');
    expect((await api.request('GET', `${BOARD}/sign-in.js`)).body).toContain('/v1/auth/login');
    for (const [method, path] of [
      ['GET', `${BOARD}/api/queues`],
      ['GET', `${BOARD}/static/favicon.ico`],
      ['GET', `${BOARD}/queue/maintenance`],
      ['PUT', `${BOARD}/api/queues/maintenance/pause`],
    ] as const) {
      for (const headers of [undefined, { cookie: 'pantheon_job_board=' + 'a'.repeat(43) }]) {
        const answer = await api.request(method, path, headers && { headers });
        expect([path, answer.status, answer.body.code]).toEqual([
          path,
          401,
          'JOB_BOARD_SESSION_MISSING',
        ]);
      }
      expect((await api.request(method, path, { token: administrator })).status).toBe(401);
    }
  });

  it('needs the permission to see jobs', async () => {
    const member = await api.register('someone@test.example');
    expect((await api.request('POST', `${BOARD}/session`)).status).toBe(401);
    expect((await api.request('POST', `${BOARD}/session`, { token: member })).status).toBe(403);
  });

  it('serves the page and its assets under a policy that lets nothing from outside in', async () => {
    const cookie = await signIn(administrator);
    const page = await api.request('GET', BOARD, { headers: { ...PAGE, cookie } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.body).toContain(`<base href="${BOARD}/"`);
    expect(page.body).not.toMatch(/(href|src)="https?:/);
    const assets = [...String(page.body).matchAll(/(?:src|href)="(static\/[^"]+)"/g)];
    expect(assets.length).toBeGreaterThan(3);
    for (const [, asset] of assets) {
      const answer = await api.request('GET', `${BOARD}/${asset}`, { headers: { cookie } });
      expect([asset, answer.status]).toEqual([asset, 200]);
    }
  });

  it('shows queues, jobs, schedulers and the store', async () => {
    const { id } = await api.app.get(JobQueue).enqueue(purgeExpired, {});
    const cookie = await signIn(administrator);
    const get = (path: string) =>
      api.request('GET', `${BOARD}/api/${path}`, { headers: { cookie } });
    const { body } = await get(
      'queues?activeQueue=maintenance&status=latest&page=1&jobsPerPage=10',
    );
    expect(body.queues).toContainEqual(
      expect.objectContaining({
        name: 'maintenance',
        readOnlyMode: false,
        jobs: [expect.objectContaining({ id, name: 'purge-expired', data: { payload: {} } })],
      }),
    );
    expect((await get(`queues/maintenance/${id}`)).body).toMatchObject({ status: 'waiting' });
    expect((await get('job-schedulers')).status).toBe(200);
    expect((await get('redis/stats')).body).toMatchObject({ version: expect.any(String) });
    expect((await get('queues/maintenance/workers')).status).toBe(200);
  });

  it('lets those change jobs who may manage them, and only from its own pages', async () => {
    const cookie = await signIn(administrator);
    const path = `${BOARD}/api/queues/maintenance`;
    const foreign = await api.request('PUT', `${path}/pause`, {
      headers: { cookie, 'sec-fetch-site': 'same-site' },
    });
    expect([foreign.status, foreign.body.code]).toEqual([403, 'JOB_BOARD_FOREIGN_PAGE']);
    const own = { cookie, 'sec-fetch-site': 'same-origin' };
    expect((await api.request('PUT', `${path}/pause`, { headers: own })).status).toBe(200);
    expect((await api.request('PUT', `${path}/resume`, { headers: own })).status).toBe(200);
    const added = await api.request('POST', `${path}/add`, {
      headers: own,
      body: { name: 'purge-expired', data: { payload: {} }, options: {} },
    });
    expect(added.status).toBe(200);
  });

  it('only shows jobs to those who may only read them', async () => {
    const reader = await userWith([{ resource: 'jobs', action: 'read', effect: 'allow' }]);
    const cookie = await signIn(reader);
    const path = `${BOARD}/api/queues`;
    const { body } = await api.request('GET', path, { headers: { cookie } });
    expect(body.queues).toContainEqual(
      expect.objectContaining({ name: 'maintenance', readOnlyMode: true }),
    );
    const { id } = await api.app.get(JobQueue).enqueue(purgeExpired, {});
    for (const [method, change] of [
      ['PUT', 'maintenance/pause'],
      ['PUT', 'maintenance/empty'],
      ['PUT', `maintenance/${id}/clean`],
      ['PUT', 'maintenance/clean/completed'],
      ['PUT', 'maintenance/obliterate'],
    ] as const) {
      const answer = await api.request(method, `${path}/${change}`, { headers: { cookie } });
      expect([change, answer.status]).toEqual([change, 405]);
    }
    await api.request('PUT', `${path}/pause`, { headers: { cookie } });
    const after = await api.request('GET', path, { headers: { cookie } });
    expect(after.body.queues[0].isPaused).toBe(false);
  });

  it('ends a session when asked to, and when its time is over', async () => {
    const first = await signIn(administrator);
    const ended = await api.request('DELETE', `${BOARD}/session`, { headers: { cookie: first } });
    expect(ended.status).toBe(204);
    expect(ended.headers.get('set-cookie')).toMatch(/^pantheon_job_board=; .*Max-Age=0/);
    const ask = (cookie: string) =>
      api.request('GET', `${BOARD}/api/queues`, { headers: { cookie } });
    expect((await ask(first)).status).toBe(401);
    const second = await signIn(administrator);
    expect((await ask(second)).status).toBe(200);
    api.clock.advance(900_000);
    expect((await ask(second)).status).toBe(401);
  });
});
