import { createHmac, webcrypto } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { AccessTokens } from '../../libs/auth/src/tokens/access-tokens.js';
import { SigningKeys } from '../../libs/auth/src/tokens/signing-keys.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

type HeaderChange = Readonly<Record<string, unknown>>;

const USER = newId();
const SESSION = newId();
const ISSUER = 'http://127.0.0.1:3000';

describe('AccessTokens', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let tokens: AccessTokens;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    tokens = auth.get(AccessTokens);
  });
  afterEach(() => auth.close());

  /** A token like ours but for what the test changes, signed with our key. */
  async function forge(
    claims: Record<string, unknown> = {},
    header: HeaderChange = {},
    signWith?: webcrypto.CryptoKey | Uint8Array,
  ): Promise<string> {
    const { kid, privateKey } = await auth.get(SigningKeys).current();
    const now = Math.floor(auth.clock.nowMs() / 1000);
    return new SignJWT({
      iss: ISSUER,
      aud: 'pantheon-api',
      sub: USER,
      sid: SESSION,
      iat: now,
      exp: now + 900,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...header })
      .sign(signWith ?? privateKey);
  }

  const invalid = { kind: 'unauthenticated', code: 'AUTH_TOKEN_INVALID' };

  it('verifies what it issued, also from memory', async () => {
    const { token, ttlSeconds } = await tokens.issue(USER, SESSION);
    const expiresAtMs = (Math.floor(auth.clock.nowMs() / 1000) + ttlSeconds) * 1000;
    const claims = { userId: USER, sessionId: SESSION, expiresAtMs, keyEpoch: 0 };
    await expect(tokens.verify(token)).resolves.toEqual(claims);
    await expect(tokens.verify(token)).resolves.toEqual(claims);
  });

  it('says nothing in a token but who, by which session and for how long', async () => {
    const { token } = await tokens.issue(USER, SESSION);
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    expect(Object.keys(payload as object).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'sid',
      'sub',
    ]);
  });

  it('takes the token that the forgeries below start from', async () => {
    await expect(tokens.verify(await forge())).resolves.toMatchObject({ userId: USER });
  });

  it('tells an expired token from an invalid one, to the second, also from memory', async () => {
    const token = await forge();
    await tokens.verify(token);
    auth.clock.advance(900_000 - (auth.clock.nowMs() % 1000) - 1);
    await expect(tokens.verify(token)).resolves.toBeDefined();
    auth.clock.advance(1);
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another issuer', { iss: 'somebody-else' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'another-api' }],
    ['no audience', { aud: undefined }],
    ['no expiry', { exp: undefined }],
    ['no subject', { sub: undefined }],
    ['a subject that is no id', { sub: "' OR true --" }],
    ['no session', { sid: undefined }],
    ['a session that is no text', { sid: 7 }],
    ['a start in the future', { nbf: 99_999_999_999 }],
  ])('refuses a token with %s', async (_, claims) => {
    await expect(tokens.verify(await forge(claims))).rejects.toMatchObject(invalid);
  });

  it.each<[string, HeaderChange]>([
    ['another key id', { kid: 'another' }],
    ['no key id', { kid: undefined }],
    ['another type', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
  ])('refuses a token with %s', async (_, header) => {
    await expect(tokens.verify(await forge({}, header))).rejects.toMatchObject(invalid);
  });

  it('refuses a token signed with another key', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    await expect(tokens.verify(await forge({}, {}, privateKey))).rejects.toMatchObject(invalid);
  });

  it('refuses a token that lives longer than any of ours', async () => {
    const exp = Math.floor(auth.clock.nowMs() / 1000) + 3_601;
    await expect(tokens.verify(await forge({ exp }))).rejects.toMatchObject(invalid);
  });

  it('refuses other algorithms', async () => {
    const hs512 = await forge({}, { alg: 'HS512' }, new Uint8Array(64));
    const eddsa = await forge({}, { alg: 'EdDSA' }, (await generateKeyPair('EdDSA')).privateKey);
    const es384 = await forge({}, { alg: 'ES384' }, (await generateKeyPair('ES384')).privateKey);
    for (const token of [hs512, eddsa, es384]) {
      await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    }
  });

  it('refuses a token whose HMAC is keyed with the public key, in any form of it', async () => {
    const { publicKey, jwk } = await auth.get(SigningKeys).current();
    const pem = await exportSPKI(publicKey);
    const der = Buffer.from(await webcrypto.subtle.exportKey('spki', publicKey));
    const point = Buffer.from(await webcrypto.subtle.exportKey('raw', publicKey));
    const forms = [pem, pem.trim(), JSON.stringify(jwk), jwk.x, der, point];
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      for (const form of forms) {
        await expect(tokens.verify(await hmacToken(alg, form))).rejects.toMatchObject(invalid);
      }
    }
  });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('refuses the algorithm "%s"', async (alg) => {
    const [, payload = '', signature = ''] = (await forge()).split('.');
    const { kid } = await auth.get(SigningKeys).current();
    const header = encoded({ alg, typ: 'at+jwt', kid });
    for (const end of ['', signature, Buffer.alloc(64).toString('base64url')]) {
      await expect(tokens.verify(`${header}.${payload}.${end}`)).rejects.toMatchObject(invalid);
    }
  });

  it('refuses signatures of zeros and of the order of the curve', async () => {
    const [header, payload] = (await forge()).split('.');
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
    for (const signature of [Buffer.alloc(64), Buffer.from(order + order, 'hex')]) {
      const token = `${header}.${payload}.${signature.toString('base64url')}`;
      await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    }
  });

  it('takes no key from a token: neither embedded, nor by address, nor by certificate', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const { kid } = await auth.get(SigningKeys).current();
    const headers = [
      { jwk },
      { jwk, kid: undefined },
      { jku: 'https://attacker.example/jwks.json' },
      { x5u: 'https://attacker.example/cert.pem', x5c: ['MIIB'] },
      { kid: '../../../../dev/null' },
      { kid: `${kid}' OR '1'='1` },
    ];
    for (const header of headers) {
      const token = await forge({}, header, privateKey);
      await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    }
  });

  async function hmacToken(alg: string, key: string | Buffer): Promise<string> {
    const { kid } = await auth.get(SigningKeys).current();
    const [, payload] = (await forge()).split('.');
    const signed = `${encoded({ alg, typ: 'at+jwt', kid })}.${payload}`;
    const mac = createHmac(`sha${alg.slice(2)}`, key).update(signed);
    return `${signed}.${mac.digest('base64url')}`;
  }

  it('refuses a token in which a single character was changed', async () => {
    const token = await forge();
    for (const index of [3, token.indexOf('.') + 5, token.lastIndexOf('.') + 5]) {
      const changed = token[index] === 'A' ? 'B' : 'A';
      const tampered = token.slice(0, index) + changed + token.slice(index + 1);
      await expect(tokens.verify(tampered)).rejects.toMatchObject(invalid);
    }
  });

  it.each(['', '.', '..', 'a.b.c', 'e30.e30.', 'x'.repeat(100_000)])(
    'refuses what is no token at all: %.20j',
    async (text) => {
      await expect(tokens.verify(text)).rejects.toMatchObject(invalid);
    },
  );

  it('verifies a token that another process issued with a newer key', async () => {
    await tokens.issue(USER, SESSION);
    const elsewhere = await startAuth({ dataSource: database.dataSource, clock: auth.clock });
    await elsewhere.get(SigningKeys).withdraw();
    const { token } = await elsewhere.get(AccessTokens).issue(USER, SESSION);
    await elsewhere.close();
    // This process looks for new keys at most every ten seconds, however many tokens name one.
    await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    auth.clock.advance(10_000);
    await expect(tokens.verify(token)).resolves.toMatchObject({ userId: USER });
  });
});

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
