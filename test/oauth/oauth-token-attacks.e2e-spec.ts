import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ADMINISTRATOR } from '../support/app.js';
import { basic, exchange, obtainCode, postForm, VERIFIER } from './oauth-harness.js';
import { expectRefused, oauthServer } from './oauth-server.js';

const server = oauthServer();
const { me } = server;

describe('a code', () => {
  it('needs its verifier, and is used up by a wrong one', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    const wrong = await exchange(server.api, server.app, code, {
      code_verifier: VERIFIER.replace('0', '1'),
    });
    expectRefused(wrong, 'invalid_grant');
    expectRefused(await exchange(server.api, server.app, code), 'invalid_grant');
  });

  it('is not exchanged without a verifier, or by the challenge itself', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    const none = await exchange(server.api, server.app, code, { code_verifier: '' });
    expectRefused(none, 'invalid_request');
    const challenge = hash('sha256', VERIFIER, 'base64url');
    expectRefused(
      await exchange(server.api, server.app, code, { code_verifier: challenge }),
      'invalid_grant',
    );
  });

  it('is of no use to another client, and not used up by it', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    expectRefused(await exchange(server.api, server.service, code), 'invalid_grant');
    expect((await exchange(server.api, server.app, code)).status).toBe(200);
  });

  it('ends what it was exchanged for when it comes a second time', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    const { body } = await exchange(server.api, server.app, code);
    expect((await me(body.access_token)).status).toBe(200);
    expectRefused(await exchange(server.api, server.app, code), 'invalid_grant');
    expect((await me(body.access_token)).status).toBe(401);
    const fields = {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      client_id: server.app.id,
    };
    expectRefused(await postForm(server.api, '/oauth/token', fields), 'invalid_grant');
  });

  it('is exchanged once when it comes many times at once, and then nobody keeps the tokens', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => exchange(server.api, server.app, code)),
    );
    const given = answers.filter(({ status }) => status === 200);
    expect(given).toHaveLength(1);
    expect((await me(given[0]?.body.access_token)).status).toBe(401);
  });

  it('is good for a minute', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    server.api.clock.advance(60_001);
    expectRefused(await exchange(server.api, server.app, code), 'invalid_grant');
  });

  it('is stored as a hash only', async () => {
    const code = await obtainCode(server.api, server.app, ADMINISTRATOR);
    const [row] = await server.api.platform.dataSource.query<{ found: number }[]>(
      `SELECT count(*)::int AS found FROM oauth_code WHERE code_hash = sha256($1::bytea)`,
      [Buffer.from(code)],
    );
    expect(row?.found).toBe(1);
    expect(code).toMatch(/^poc_[\w-]{43}$/);
  });
});

describe('a client', () => {
  const serve = (headers: Readonly<Record<string, string>>, fields: object = {}) =>
    postForm(server.api, '/oauth/token', { grant_type: 'client_credentials', ...fields }, headers);

  it('is refused alike when it is unknown and when its secret is wrong', async () => {
    const { secret } = server.service;
    const wrong = [
      await serve(basic({ ...server.service, secret: `pcs_${'x'.repeat(43)}` })),
      await serve(basic({ ...server.service, secret: '' })),
      await serve(basic({ ...server.service, id: '01900000-0000-7000-8000-00000000beef' })),
      await serve(basic({ ...server.service, id: server.app.id })),
      await serve({ authorization: `Bearer ${secret}` }),
      await serve({}, { client_id: server.service.id }),
      await serve({}),
    ];
    for (const answer of wrong) {
      expectRefused(answer, 'invalid_client');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect(wrong[0]?.body).toEqual(wrong[2]?.body);
    expect((await serve(basic(server.service))).status).toBe(200);
  });

  it('names itself in one way only', async () => {
    const { id, secret } = server.service;
    const both = await serve(basic(server.service), { client_id: id, client_secret: secret });
    expectRefused(both, 'invalid_request');
    expectRefused(
      await serve(basic(server.service), { client_id: server.app.id }),
      'invalid_request',
    );
    expect((await serve(basic(server.service), { client_id: id })).status).toBe(200);
    expect((await serve({}, { client_id: id, client_secret: secret })).status).toBe(200);
  });

  it('uses what it may use, and nothing else', async () => {
    const fields = { grant_type: 'client_credentials', client_id: server.app.id };
    expectRefused(await postForm(server.api, '/oauth/token', fields), 'unauthorized_client');
    for (const grantType of ['password', 'implicit', 'constructor', '__proto__']) {
      const answer = await serve(basic(server.service), { grant_type: grantType });
      expectRefused(answer, 'unsupported_grant_type');
    }
    const url = new URLSearchParams({ token: server.administrator, client_id: server.app.id });
    expectRefused(
      await postForm(server.api, '/oauth/introspect', url.toString()),
      'invalid_client',
    );
  });

  it('sends forms, and other routes take none', async () => {
    const json = await server.api.request('POST', '/oauth/token', {
      body: { grant_type: 'client_credentials' },
      headers: basic(server.service),
    });
    expect([json.status, json.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    const form = await postForm(server.api, '/v1/auth/login', { ...ADMINISTRATOR });
    expect([form.status, form.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    const large = await postForm(server.api, '/oauth/token', { grant_type: 'x'.repeat(20_000) });
    expect(large.status).toBe(413);
  });

  it('gets tokens that no cache keeps', async () => {
    const answer = await serve(basic(server.service));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
  });
});
