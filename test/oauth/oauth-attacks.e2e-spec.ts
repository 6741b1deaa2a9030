import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMINISTRATOR, startTestApi, type TestApi } from '../support/app.js';
import {
  authorizationRequest,
  basic,
  Browser,
  exchange,
  ISSUER,
  makeClient,
  type MadeClient,
  obtainCode,
  postForm,
  REDIRECT_URI,
  VERIFIER,
} from './oauth-harness.js';

let api: TestApi;
let administrator: string;
let app: MadeClient;
let service: MadeClient;
const alice = { email: 'alice@test.example', password: 'password of alice@test.example' };

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_AUTH_ISSUER: ISSUER });
  administrator = await api.login();
  app = await makeClient(api, administrator, {
    name: '<script>alert(1)</script> "App"',
    type: 'public',
    grantTypes: ['authorization_code', 'refresh_token'],
  });
  service = await makeClient(api, administrator);
  await api.register(alice.email);
});

afterAll(() => api.close());

const me = (token: string) => api.request('GET', '/v1/auth/me', { token });
const open = (changes: Readonly<Record<string, string | undefined>>) =>
  new Browser(api).open(authorizationRequest(app, changes));

function expectRefused(answer: { status: number; body: unknown }, error: string): void {
  const status = error === 'invalid_client' ? 401 : 400;
  expect(answer).toMatchObject({ status, body: { error } });
}

describe('the address that codes are sent to', () => {
  it.each([
    ['another site', 'https://attacker.example/callback'],
    ['another path', `${REDIRECT_URI}/more`],
    ['a path that leads elsewhere', `${REDIRECT_URI}/../evil`],
    ['another query', `${REDIRECT_URI}?next=https://attacker.example`],
    ['a fragment', `${REDIRECT_URI}#x`],
    ['another scheme', REDIRECT_URI.replace('https', 'http')],
    ['another case', REDIRECT_URI.toUpperCase()],
    ['another port', REDIRECT_URI.replace('.example', '.example:8443')],
    ['a user before the host', REDIRECT_URI.replace('//', '//app.test.example@attacker.example/')],
    ['a script', 'javascript:alert(1)'],
    ['none', undefined],
  ])('is one that the client has, to the letter: %s is told on a page', async (_, uri) => {
    const { status, location, body } = await open({ redirect_uri: uri });
    expect([status, location]).toEqual([400, undefined]);
    expect(body).not.toContain('attacker');
  });

  it('is not believed of a client that does not exist', async () => {
    for (const id of ['nobody', '01900000-0000-7000-8000-00000000beef', undefined]) {
      const { status, location } = await open({ client_id: id });
      expect([status, location]).toEqual([400, undefined]);
    }
  });

  it('has to be the same when the code is exchanged', async () => {
    for (const uri of ['https://attacker.example/', '']) {
      const code = await obtainCode(api, app, ADMINISTRATOR);
      const answer = await exchange(api, app, code, { redirect_uri: uri });
      expectRefused(answer, uri === '' ? 'invalid_request' : 'invalid_grant');
    }
  });
});

describe('a fault that the client is told of', () => {
  it.each([
    ['no PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['PKCE without a method', { code_challenge_method: undefined }, 'invalid_request'],
    ['the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge that is none', { code_challenge: 'short' }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['a hybrid flow', { response_type: 'code token' }, 'unsupported_response_type'],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request'],
    ['more scope than it may have', { scope: 'source:read *:*' }, 'invalid_scope'],
    ['a scope that none can be', { scope: 'source:read  ' }, 'invalid_scope'],
  ])('comes with state and issuer, and nobody was asked: %s', async (_, changes, error) => {
    const { status, location } = await open({ ...changes, state: 'a b&c=d"<' });
    expect(status).toBe(302);
    expect(`${location?.origin}${location?.pathname}`).toBe(REDIRECT_URI);
    expect(Object.fromEntries(location?.searchParams ?? [])).toEqual({
      error,
      error_description: expect.any(String),
      state: 'a b&c=d"<',
      iss: ISSUER,
    });
  });

  it('has no state where there was none, nor has a code', async () => {
    const refusal = await open({ code_challenge: undefined });
    expect(refusal.location?.searchParams.has('state')).toBe(false);
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app));
    const { location } = await browser.allow(page, ADMINISTRATOR);
    expect([...(location?.searchParams.keys() ?? [])].sort()).toEqual(['code', 'iss']);
    expect(location?.searchParams.get('iss')).toBe(ISSUER);
  });

  it('is told of a parameter that comes twice, whichever of the two would count', async () => {
    const query = new URLSearchParams(authorizationRequest(app) as Record<string, string>);
    query.append('redirect_uri', 'https://attacker.example/');
    const answer = await api.request('GET', `/oauth/authorize?${query.toString()}`);
    expect(answer.status).toBe(400);
    const twice = `grant_type=client_credentials&scope=source:read&scope=*:*`;
    expectRefused(await postForm(api, '/oauth/token', twice, basic(service)), 'invalid_request');
  });
});

describe('the page', () => {
  it('has no scripts, may not be framed, and sends its form here and to the client alone', async () => {
    const { headers, body } = await open({ state: '"><script>alert(2)</script>' });
    expect(body).not.toMatch(/<script|javascript:/i);
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;App&quot;');
    const [, style = ''] = /<style>([^]*?)<\/style>/.exec(body) ?? [];
    const source = `'sha256-${hash('sha256', style, 'base64')}'`;
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src ${source}; form-action 'self' https://app.test.example; ` +
        "frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('set-cookie')).toMatch(
      /^__Host-pantheon_oauth=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  it('takes no form of another site: without the cookie, or with another field', async () => {
    const allowed = { ...ADMINISTRATOR, decision: 'allow' };
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app));
    const forged = [
      await browser.submit(page, { ...allowed, csrf_token: undefined }),
      await browser.submit(page, { ...allowed, csrf_token: 'A'.repeat(43) }),
      await browser.submit(page, allowed, { 'sec-fetch-site': 'cross-site' }),
    ];
    browser.forgetCookies();
    forged.push(await browser.submit(page, allowed));
    for (const { status, location } of forged) expect([status, location]).toEqual([403, undefined]);
    expect((await browser.allow(forged[3] ?? page, ADMINISTRATOR)).status).toBe(303);
  });

  it('validates what comes back with the form anew', async () => {
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app));
    const allowed = { ...ADMINISTRATOR, decision: 'allow' };
    const elsewhere = await browser.submit(page, {
      ...allowed,
      redirect_uri: 'https://attacker.example/',
    });
    expect([elsewhere.status, elsewhere.location]).toEqual([400, undefined]);
    const wider = await browser.submit(page, { ...allowed, scope: '*:*' });
    expect(wider.location?.searchParams.get('error')).toBe('invalid_scope');
    const weaker = await browser.submit(page, { ...allowed, code_challenge_method: 'plain' });
    expect(weaker.location?.searchParams.get('error')).toBe('invalid_request');
  });

  it('takes a no, without a password', async () => {
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app, { state: 's' }));
    const { status, location } = await browser.submit(page, { decision: 'deny' });
    expect(status).toBe(303);
    expect(location?.searchParams.get('error')).toBe('access_denied');
    expect(location?.searchParams.get('state')).toBe('s');
  });

  it('takes no wrong password, and throttles guesses with those of the API', async () => {
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app));
    const wrong = { email: 'victim@test.example', password: 'a guess' };
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { status, body, location } = await browser.allow(page, wrong);
      expect([status, location]).toEqual([403, undefined]);
      expect(body).toContain('The email or the password is wrong.');
      expect(body).not.toContain('a guess');
    }
    const refused = await browser.allow(page, wrong);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const body = wrong;
    expect((await api.request('POST', '/v1/auth/login', { body })).status).toBe(429);
  });

  it('lets no one of another organization use a client, unless it is shared', async () => {
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(app));
    const refused = await browser.allow(page, alice);
    expect(refused.location?.searchParams.get('error')).toBe('access_denied');
    const shared = await makeClient(api, administrator, {
      type: 'public',
      grantTypes: ['authorization_code'],
      shared: true,
    });
    const { body } = await exchange(api, shared, await obtainCode(api, shared, alice));
    expect((await me(body.access_token)).body).toMatchObject({ email: alice.email });
    expect(body.refresh_token).toBeUndefined();
  });
});

describe('a code', () => {
  it('needs its verifier, and is used up by a wrong one', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    const wrong = await exchange(api, app, code, { code_verifier: VERIFIER.replace('0', '1') });
    expectRefused(wrong, 'invalid_grant');
    expectRefused(await exchange(api, app, code), 'invalid_grant');
  });

  it('is not exchanged without a verifier, or by the challenge itself', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    const none = await exchange(api, app, code, { code_verifier: '' });
    expectRefused(none, 'invalid_request');
    const challenge = hash('sha256', VERIFIER, 'base64url');
    expectRefused(await exchange(api, app, code, { code_verifier: challenge }), 'invalid_grant');
  });

  it('is of no use to another client, and not used up by it', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    expectRefused(await exchange(api, service, code), 'invalid_grant');
    expect((await exchange(api, app, code)).status).toBe(200);
  });

  it('ends what it was exchanged for when it comes a second time', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    const { body } = await exchange(api, app, code);
    expect((await me(body.access_token)).status).toBe(200);
    expectRefused(await exchange(api, app, code), 'invalid_grant');
    expect((await me(body.access_token)).status).toBe(401);
    const fields = {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      client_id: app.id,
    };
    expectRefused(await postForm(api, '/oauth/token', fields), 'invalid_grant');
  });

  it('is exchanged once when it comes many times at once, and then nobody keeps the tokens', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(api, app, code)));
    const given = answers.filter(({ status }) => status === 200);
    expect(given).toHaveLength(1);
    expect((await me(given[0]?.body.access_token)).status).toBe(401);
  });

  it('is good for a minute', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    api.clock.advance(60_001);
    expectRefused(await exchange(api, app, code), 'invalid_grant');
  });

  it('is stored as a hash only', async () => {
    const code = await obtainCode(api, app, ADMINISTRATOR);
    const [row] = await api.platform.dataSource.query<{ found: number }[]>(
      `SELECT count(*)::int AS found FROM oauth_code WHERE code_hash = sha256($1::bytea)`,
      [Buffer.from(code)],
    );
    expect(row?.found).toBe(1);
    expect(code).toMatch(/^poc_[\w-]{43}$/);
  });
});

describe('a client', () => {
  const serve = (headers: Readonly<Record<string, string>>, fields: object = {}) =>
    postForm(api, '/oauth/token', { grant_type: 'client_credentials', ...fields }, headers);

  it('is refused alike when it is unknown and when its secret is wrong', async () => {
    const { secret } = service;
    const wrong = [
      await serve(basic({ ...service, secret: `pcs_${'x'.repeat(43)}` })),
      await serve(basic({ ...service, secret: '' })),
      await serve(basic({ ...service, id: '01900000-0000-7000-8000-00000000beef' })),
      await serve(basic({ ...service, id: app.id })),
      await serve({ authorization: `Bearer ${secret}` }),
      await serve({}, { client_id: service.id }),
      await serve({}),
    ];
    for (const answer of wrong) {
      expectRefused(answer, 'invalid_client');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect(wrong[0]?.body).toEqual(wrong[2]?.body);
    expect((await serve(basic(service))).status).toBe(200);
  });

  it('names itself in one way only', async () => {
    const { id, secret } = service;
    const both = await serve(basic(service), { client_id: id, client_secret: secret });
    expectRefused(both, 'invalid_request');
    expectRefused(await serve(basic(service), { client_id: app.id }), 'invalid_request');
    expect((await serve(basic(service), { client_id: id })).status).toBe(200);
    expect((await serve({}, { client_id: id, client_secret: secret })).status).toBe(200);
  });

  it('uses what it may use, and nothing else', async () => {
    const fields = { grant_type: 'client_credentials', client_id: app.id };
    expectRefused(await postForm(api, '/oauth/token', fields), 'unauthorized_client');
    for (const grantType of ['password', 'implicit', 'constructor', '__proto__']) {
      const answer = await serve(basic(service), { grant_type: grantType });
      expectRefused(answer, 'unsupported_grant_type');
    }
    const url = new URLSearchParams({ token: administrator, client_id: app.id });
    expectRefused(await postForm(api, '/oauth/introspect', url.toString()), 'invalid_client');
  });

  it('sends forms, and other routes take none', async () => {
    const json = await api.request('POST', '/oauth/token', {
      body: { grant_type: 'client_credentials' },
      headers: basic(service),
    });
    expect([json.status, json.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    const form = await postForm(api, '/v1/auth/login', { ...ADMINISTRATOR });
    expect([form.status, form.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    const large = await postForm(api, '/oauth/token', { grant_type: 'x'.repeat(20_000) });
    expect(large.status).toBe(413);
  });

  it('gets tokens that no cache keeps', async () => {
    const answer = await serve(basic(service));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
  });
});
