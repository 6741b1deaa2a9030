import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const LIMITED = 'GET /v1/auth/me';
let api: TestApi;
let admin: string;

beforeAll(async () => {
  api = await startTestApi({
    PANTHEON_HTTP_TRUST_PROXY: 'true',
    PANTHEON_RATE_LIMIT_ROUTES: JSON.stringify({
      [LIMITED]: [{ by: 'user', capacity: 5, refillPerHour: 5 }],
      'GET /v1/sources': [{ by: 'key', capacity: 3, refillPerHour: 3 }],
      'GET /v1/sources/:id': [{ by: 'user', capacity: 4, refillPerHour: 4 }],
    }),
  });
  admin = await api.login();
});
afterAll(() => api.close());

const me = (token: string): Promise<TestAnswer> => api.request('GET', '/v1/auth/me', { token });
const statuses = (answers: readonly TestAnswer[]) => answers.map(({ status }) => status);

async function times(count: number, ask: () => Promise<TestAnswer>): Promise<TestAnswer[]> {
  const answers: TestAnswer[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await ask());
  return answers;
}

/** Changes settings for as long as `work` takes. */
async function withSettings(
  settings: Readonly<Record<string, unknown>>,
  work: () => Promise<void>,
): Promise<void> {
  const changed = await api.request('PATCH', '/v1/config', { token: admin, body: settings });
  expect(changed.status).toBe(200);
  try {
    await work();
  } finally {
    api.platform.store.withdrawOverrides(Object.keys(settings));
  }
}

describe('a limit of a route', () => {
  it('refuses a user beyond it with 429, and tells how long to wait', async () => {
    const token = await api.register('limited@test.example');
    const answers = await times(6, () => me(token));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = answers[5] as TestAnswer;
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    // Five an hour: one comes back in twelve minutes.
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(700);
    expect(wait).toBeLessThanOrEqual(720);
  });

  it('says in each answer what is left, in the form of the draft', async () => {
    const token = await api.register('told@test.example');
    const answers = await times(6, () => me(token));
    expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(
      Array.from({ length: 6 }, () => `"${LIMITED} by user";q=5;w=3600`),
    );
    expect(answers.map(({ headers }) => headers.get('ratelimit')?.split(';')[1])).toEqual([
      'r=4',
      'r=3',
      'r=2',
      'r=1',
      'r=0',
      'r=0',
    ]);
  });

  it('gives each user a budget of their own, however many addresses or sessions they have', async () => {
    const [first, second] = [
      await api.register('first@test.example'),
      await api.register('second@test.example'),
    ];
    await times(5, () => me(first));
    expect((await me(first)).status).toBe(429);
    expect((await me(second)).status).toBe(200);
    const again = await api.login({
      email: 'first@test.example',
      password: 'password of first@test.example',
    });
    expect((await me(again)).status).toBe(429);
  });

  it('gives each API key a budget of its own', async () => {
    const token = await api.register('keys@test.example');
    const scope = [{ resource: 'source', action: 'list' }];
    const made = await Promise.all(
      ['one', 'two'].map((name) =>
        api.request('POST', '/v1/auth/api-keys', { token, body: { name, scope } }),
      ),
    );
    expect(statuses(made)).toEqual([201, 201]);
    const list = (key: unknown) =>
      api.request('GET', '/v1/sources', { headers: { 'x-api-key': String(key) } });
    const [first, second] = made.map(({ body }) => body.key as unknown);
    expect(statuses(await times(4, () => list(first)))).toEqual([200, 200, 200, 429]);
    expect(statuses(await times(4, () => list(second)))).toEqual([200, 200, 200, 429]);
    expect((await api.request('GET', '/v1/sources', { token })).status).toBe(200);
  });

  it('counts answers from the cache too', async () => {
    const token = await api.register('cached@test.example');
    const made = await api.request('POST', '/v1/sources', {
      token,
      body: { name: 'limited', kind: 'document', label: 'Limited' },
    });
    expect(made.status).toBe(201);
    const answers = await times(6, () =>
      api.request('GET', `/v1/sources/${String(made.body.id)}`, { token }),
    );
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(answers.slice(1, 4).map(({ headers }) => headers.get('x-cache'))).toContain('L1');
    expect(answers.map(({ headers }) => headers.get('ratelimit')?.split(';')[1])).toEqual([
      'r=3',
      'r=2',
      'r=1',
      'r=0',
      'r=0',
      'r=0',
    ]);
  });

  it('comes from the code where the settings say nothing', async () => {
    const answer = await api.request('POST', '/v1/auth/login', {
      body: { email: 'nobody@test.example', password: 'wrong wrong wrong' },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('ratelimit-policy')).toBe('"credentials by address";q=1000;w=20');
  });

  it('changes at run time, and ends', async () => {
    const token = await api.register('changing@test.example');
    expect(statuses(await times(6, () => me(token))).at(-1)).toBe(429);
    const routes = { [LIMITED]: [{ by: 'user', capacity: 7, refillPerHour: 5 }] };
    await withSettings({ 'rateLimit.routes': routes }, async () => {
      // Two more than before.
      expect(statuses(await times(3, () => me(token)))).toEqual([200, 200, 429]);
    });
    await withSettings({ 'rateLimit.routes': { [LIMITED]: [] } }, async () => {
      expect(statuses(await times(3, () => me(token)))).toEqual([200, 200, 200]);
    });
    await withSettings({ 'rateLimit.enabled': false }, async () => {
      const answer = await me(token);
      expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
    });
  });

  it('is refused by the settings when it makes no sense', async () => {
    const routes = { [LIMITED]: [{ by: 'user', capacity: 7 }] };
    const answer = await api.request('PATCH', '/v1/config', {
      token: admin,
      body: { 'rateLimit.routes': routes },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('refillPerSecond');
  });
});

describe('the limit of an address', () => {
  const small = { 'rateLimit.addressCapacity': 20, 'rateLimit.addressPerSecond': 1 };
  let clients = 0;

  /** Headers of a client that has not asked for anything yet. */
  function newClient(): { 'x-forwarded-for': string } {
    clients += 1;
    return { 'x-forwarded-for': `192.0.2.${clients}` };
  }

  it('stops who guesses tokens or pages, before anything is looked up', async () => {
    await withSettings(small, async () => {
      const headers = newClient();
      const guess = () =>
        api.request('GET', '/v1/auth/users', { token: 'guessed.token.value', headers });
      const startedMs = performance.now();
      const answers = await Promise.all(Array.from({ length: 80 }, guess));
      const most = 20 + Math.ceil((performance.now() - startedMs) / 1_000);
      const refused = answers.filter(({ status }) => status === 429);
      expect(new Set(statuses(answers))).toEqual(new Set([401, 429]));
      expect(answers.length - refused.length).toBeLessThanOrEqual(most);
      expect(refused[0]?.headers.get('ratelimit-policy')).toBe('"address";q=20;w=20');
      expect(refused[0]?.headers.get('x-content-type-options')).toBe('nosniff');
    });
  });

  it.each([
    ['GET', '/v1/no-such-page'],
    ['HEAD', '/v1/auth/me'],
    ['POST', '/v1/auth/login'],
  ])('is one budget for everything: %s %s', async (method, path) => {
    await withSettings(small, async () => {
      const headers = newClient();
      const ask = () => api.request(method, path, { headers });
      const answers = await Promise.all(Array.from({ length: 60 }, ask));
      expect(statuses(answers)).toContain(429);
    });
  });

  it('leaves health, metrics and the documentation alone', async () => {
    await withSettings(small, async () => {
      const headers = newClient();
      const answers = await times(25, () => api.request('GET', '/v1/sources', { headers }));
      expect(statuses(answers)).toContain(429);
      for (const path of ['/health', '/health/live', '/metrics', '/docs/openapi.json']) {
        const answer = await api.request('GET', path, { headers });
        expect([path, answer.status === 429]).toEqual([path, false]);
        expect(answer.headers.get('ratelimit')).toBeNull();
      }
    });
  });

  it('lets nothing through any more that was reserved by a higher limit', async () => {
    const headers = newClient();
    const ask = () => api.request('GET', '/v1/no-such-page', { headers });
    // The process holds a part of the large budget for this client.
    await times(30, ask);
    await withSettings(small, async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, ask));
      const through = statuses(answers).filter((status) => status !== 429);
      expect(through.length).toBeLessThanOrEqual(21);
    });
  });

  it('counts a HEAD once', async () => {
    const large = { 'rateLimit.addressCapacity': 1_000, 'rateLimit.addressPerSecond': 1 };
    await withSettings(large, async () => {
      const headers = newClient();
      const before = await api.request('GET', '/v1/no-such-page', { headers });
      const after = await api.request('HEAD', '/v1/sources', { headers });
      const left = (answer: TestAnswer) =>
        Number(/r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]);
      expect(left(before) - left(after)).toBeLessThanOrEqual(1);
    });
  });
});

describe('what operators are told', () => {
  it('shows the limits, where budgets are, and who was refused most', async () => {
    const stranger = await api.register('stranger@test.example');
    await times(6, () => me(stranger));
    const answer = await api.request('GET', '/v1/perf/rate-limits', { token: admin });
    expect(answer.status).toBe(200);
    expect(answer.body.store).toEqual({ name: 'postgres', state: 'shared' });
    const policy = answer.body.policies.find(
      ({ name }: { name: string }) => name === `${LIMITED} by user`,
    );
    expect(policy).toMatchObject({ by: 'user', capacity: 5, refill: 5, periodMs: 3_600_000 });
    expect(policy.mostRefused[0].refused).toBeGreaterThan(0);
    const refused = await api.request('GET', '/v1/perf/rate-limits', { token: stranger });
    expect(refused.status).toBe(403);
  });

  it('counts decisions for Prometheus', async () => {
    const { body } = await api.request('GET', '/metrics');
    expect(body).toMatch(
      /rate_limit_requests_total\{[^}]*by="user"[^}]*outcome="refused"[^}]*\} \d/,
    );
    expect(body).toMatch(/rate_limit_store_shared\{[^}]*store="postgres"[^}]*\} 1/);
    expect(body).toMatch(/rate_limit_store_seconds_count/);
  });
});
