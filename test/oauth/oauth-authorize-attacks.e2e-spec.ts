import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ADMINISTRATOR } from '../support/app.js';
import {
  authorizationRequest,
  basic,
  Browser,
  exchange,
  ISSUER,
  makeClient,
  obtainCode,
  postForm,
  REDIRECT_URI,
} from './oauth-harness.js';
import { expectRefused, oauthServer } from './oauth-server.js';

const server = oauthServer();
const { me } = server;

const open = (changes: Readonly<Record<string, string | undefined>>) =>
  new Browser(server.api).open(authorizationRequest(server.app, changes));

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
      const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
      const answer = await exchange(server.api, server.app, code, { redirect_uri: uri });
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
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app));
    const { location } = await browser.allow(page, ADMINISTRATOR);
    expect([...(location?.searchParams.keys() ?? [])].sort()).toEqual(['code', 'iss']);
    expect(location?.searchParams.get('iss')).toBe(ISSUER);
  });

  it('is told of a parameter that comes twice, whichever of the two would count', async () => {
    const query = new URLSearchParams(authorizationRequest(server.app) as Record<string, string>);
    query.append('redirect_uri', 'https://attacker.example/');
    const answer = await server.api.request('GET', `/oauth/authorize?${query.toString()}`);
    expect(answer.status).toBe(400);
    const twice = `grant_type=client_credentials&scope=source:read&scope=*:*`;
    expectRefused(
      await postForm(server.api, '/oauth/token', twice, basic(server.service)),
      'invalid_request',
    );
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
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app));
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
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app));
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
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app, { state: 's' }));
    const { status, location } = await browser.submit(page, { decision: 'deny' });
    expect(status).toBe(303);
    expect(location?.searchParams.get('error')).toBe('access_denied');
    expect(location?.searchParams.get('state')).toBe('s');
  });

  it('takes no wrong password, and throttles guesses with those of the API', async () => {
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app));
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
    expect((await server.api.request('POST', '/v1/auth/login', { body })).status).toBe(429);
  });

  it('lets no one of another organization use a client, unless it is shared', async () => {
    const alice = { email: 'alice@test.example', password: 'password of alice@test.example' };
    await server.api.register(alice.email);
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app));
    const refused = await browser.allow(page, alice);
    expect(refused.location?.searchParams.get('error')).toBe('access_denied');
    const shared = await makeClient(server.api, server.administrator, {
      type: 'public',
      grantTypes: ['authorization_code'],
      shared: true,
    });
    const { body } = await exchange(
      server.api,
      shared,
      await obtainCode(server.api, shared, alice),
    );
    expect((await me(body.access_token)).body).toMatchObject({ email: alice.email });
    expect(body.refresh_token).toBeUndefined();
  });
});
