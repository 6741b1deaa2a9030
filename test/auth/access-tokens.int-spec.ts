import { webcrypto } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { AccessTokens } from '../../libs/auth/src/tokens/access-tokens.js';
import { SigningKeys } from '../../libs/auth/src/tokens/signing-keys.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

interface HeaderChange {
  readonly alg?: string;
  readonly kid?: string | undefined;
  readonly typ?: string | undefined;
}

const USER = newId();
const SESSION = newId();

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
    const { kid, key } = await auth.get(SigningKeys).current();
    const now = Math.floor(auth.clock.nowMs() / 1000);
    return new SignJWT({
      iss: 'pantheon',
      aud: 'pantheon-api',
      sub: USER,
      sid: SESSION,
      iat: now,
      exp: now + 900,
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid, ...header })
      .sign(signWith ?? key);
  }

  const invalid = { kind: 'unauthenticated', code: 'AUTH_TOKEN_INVALID' };

  it('verifies what it issued, also from memory', async () => {
    const { token, ttlSeconds } = await tokens.issue(USER, SESSION);
    const expiresAtMs = (Math.floor(auth.clock.nowMs() / 1000) + ttlSeconds) * 1000;
    const claims = { userId: USER, sessionId: SESSION, expiresAtMs };
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
    const signature = await forge({}, {}, new Uint8Array(32));
    await expect(tokens.verify(signature)).rejects.toMatchObject(invalid);
  });

  it('refuses other algorithms, none included', async () => {
    const { kid } = await auth.get(SigningKeys).current();
    const hs512 = await forge({}, { alg: 'HS512' }, new Uint8Array(64));
    const { privateKey } = await generateKeyPair('EdDSA');
    const eddsa = await forge({}, { alg: 'EdDSA' }, privateKey);
    const none = new UnsecuredJWT({ sid: SESSION })
      .setIssuer('pantheon')
      .setAudience('pantheon-api')
      .setSubject(USER)
      .setIssuedAt()
      .setExpirationTime('15m')
      .encode();
    const header = { alg: 'none', typ: 'at+jwt', kid };
    const noneWithOurKid = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${none.split('.')[1]}.`;
    for (const token of [hs512, eddsa, none, noneWithOurKid]) {
      await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    }
  });

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
    await database.dataSource.query(
      `INSERT INTO signing_key (kid, generation, encryption, secret) VALUES ('newer', 2, 'none', $1)`,
      [Buffer.alloc(32, 7)],
    );
    const elsewhere = await startAuth({ dataSource: database.dataSource, clock: auth.clock });
    const { token } = await elsewhere.get(AccessTokens).issue(USER, SESSION);
    await elsewhere.close();
    // This process looks for new keys at most every ten seconds, however many tokens name one.
    await expect(tokens.verify(token)).rejects.toMatchObject(invalid);
    auth.clock.advance(10_000);
    await expect(tokens.verify(token)).resolves.toMatchObject({ userId: USER });
  });
});
