import { describe, expect, it } from '@jest/globals';
import { accountsHarness, PASSWORD } from './accounts-harness.js';
import { expectProblem } from './expect-problem.js';

const accounts = accountsHarness();
const { me, newUser, post } = accounts;

describe('POST /v1/auth/register', () => {
  it('makes an owner of an organization of their own', async () => {
    const body = { email: 'Ada@Example.com', password: PASSWORD, organizationName: 'Analytical' };
    const answer = await post('register', body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email: 'ada@example.com', roles: ['owner'] });
    expect(JSON.stringify(answer.body)).not.toMatch(/password|argon2/i);
    const other = await post('register', { email: 'bob@example.com', password: PASSWORD });
    expect(other.body.organizationId).not.toBe(answer.body.organizationId);
  });

  it('refuses an email that is taken, in whatever case, and leaves nothing behind', async () => {
    const { email } = await newUser();
    const count = () =>
      accounts.api.platform.dataSource.query<unknown>('SELECT count(*) FROM organization');
    const before = await count();
    const answer = await post('register', { email: email.toUpperCase(), password: PASSWORD });
    expectProblem(answer, 409, 'AUTH_EMAIL_UNAVAILABLE');
    expect(await count()).toEqual(before);
  });

  it('lets one of several simultaneous registrations of an email through', async () => {
    const body = { email: 'race@example.com', password: PASSWORD };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post('register', body)));
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    [{ email: 'x@example.com', password: 'short' }, 'body.password'],
    [{ email: 'x@example.com', password: 'x'.repeat(129) }, 'body.password'],
    [{ email: 'no email', password: PASSWORD }, 'body.email'],
    [{ email: 'a\u0000b@example.com', password: PASSWORD }, 'body.email'],
    [{ password: PASSWORD }, 'body.email'],
    [
      { email: 'x@example.com', password: PASSWORD, organizationName: '   ' },
      'body.organizationName',
    ],
    [
      { email: 'x@example.com', password: PASSWORD, organizationName: 'a\u0000' },
      'body.organizationName',
    ],
    [{ email: 'x@example.com', password: PASSWORD, roles: ['admin'] }, 'body'],
  ])('refuses %j and names %s', async (body, path) => {
    const answer = await post('register', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((fault: { path: string }) => fault.path)).toContain(path);
  });

  it('is closed when the setting says so', async () => {
    accounts.api.platform.store.overrideAll({ 'auth.registration': 'closed' });
    const answer = await post('register', { email: 'late@example.com', password: PASSWORD });
    accounts.api.platform.store.overrideAll({ 'auth.registration': 'open' });
    expectProblem(answer, 403, 'AUTH_REGISTRATION_CLOSED');
  });
});

describe('POST /v1/auth/login', () => {
  it('answers with a pair of tokens that clients can rely on', async () => {
    const answer = await post('login', await newUser());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refreshToken: expect.stringMatching(/^prt_[\w-]{43}$/),
      tokenType: 'Bearer',
      expiresInSeconds: 900,
    });
  });

  it('takes the email in any case, and the password in any composition', async () => {
    const password = 'Caf\u00e9s of Zo\u00eb, twelve';
    await post('register', { email: 'zoe@example.com', password });
    const body = { email: 'ZOE@Example.com', password: password.normalize('NFD') };
    expect((await post('login', body)).status).toBe(200);
  });

  it('answers a wrong password, an unknown email and a disabled account alike', async () => {
    const { email } = await newUser();
    const disabled = await newUser();
    await accounts.api.platform.dataSource.query(
      'UPDATE user_account SET disabled_at = now() WHERE email = $1',
      [disabled.email],
    );
    const answers = await Promise.all([
      post('login', { email, password: 'not the password' }),
      post('login', { email, password: `${PASSWORD} ` }),
      post('login', { email: 'nobody@example.com', password: PASSWORD }),
      post('login', disabled),
    ]);
    for (const answer of answers) expectProblem(answer, 401, 'AUTH_CREDENTIALS_INVALID');
    const bodies = answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' }));
    expect(new Set(bodies).size).toBe(1);
  });

  it('refuses an account after too many failures and says for how long', async () => {
    const credentials = await newUser();
    const guess = () => post('login', { ...credentials, password: 'not the password' });
    for (let time = 0; time < 10; time += 1) expect((await guess()).status).toBe(401);
    const refused = await post('login', credentials);
    expectProblem(refused, 429, 'AUTH_THROTTLED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    // Others from the same address are not concerned.
    expect((await post('login', await newUser())).status).toBe(200);
    accounts.api.clock.advance(900_000);
    expect((await post('login', credentials)).status).toBe(200);
  });

  it('stays within that limit when guesses come all at once', async () => {
    const credentials = await newUser();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => post('login', { ...credentials, password: 'a wrong one' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);
  });

  it('answers 503 when more log-ins come than the queue holds, and recovers', async () => {
    const strangers = Array.from({ length: 15 }, (_, index) => ({
      email: `stranger-${index}@example.com`,
      password: PASSWORD,
    }));
    accounts.api.platform.store.overrideAll({
      'auth.passwordQueueLimit': 2,
      'auth.passwordConcurrency': 1,
    });
    const answers = await Promise.all(strangers.map((credentials) => post('login', credentials)));
    accounts.api.platform.store.overrideAll({
      'auth.passwordQueueLimit': 100,
      'auth.passwordConcurrency': 2,
    });
    const busy = answers.filter(({ status }) => status !== 401);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) {
      expectProblem(answer, 503, 'AUTH_BUSY');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await post('login', await newUser())).status).toBe(200);
  });

  it('renews a hash that was made at another cost', async () => {
    const credentials = await newUser();
    const hashOf = async () => {
      const [row] = await accounts.api.platform.dataSource.query<{ password_hash: string }[]>(
        'SELECT password_hash FROM user_account WHERE email = $1',
        [credentials.email],
      );
      return row?.password_hash;
    };
    expect(await hashOf()).toContain('t=2');
    accounts.api.platform.store.overrideAll({ 'auth.passwordIterations': 3 });
    expect((await post('login', credentials)).status).toBe(200);
    accounts.api.platform.store.overrideAll({ 'auth.passwordIterations': 2 });
    expect(await hashOf()).toContain('t=3');
    expect((await post('login', credentials)).status).toBe(200);
  });
});

describe('a token', () => {
  // Here, where the log has seen all that goes wrong with passwords.
  it('never gets into the log, nor does a password', async () => {
    const { email } = await newUser();
    const { body } = await post('login', { email, password: PASSWORD });
    await post('refresh', { refreshToken: body.refreshToken });
    await me(body.accessToken);
    await post('login', { email, password: 'another secret guess' });
    const log = accounts.api.log.lines.join('');
    for (const secret of [PASSWORD, body.refreshToken, body.accessToken, 'another secret guess']) {
      expect(log).not.toContain(secret);
    }
  });
});
