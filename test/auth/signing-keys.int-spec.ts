import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { authMigrations } from '#libs/auth';
import { ManualClock } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { AccessTokens } from '../../libs/auth/src/tokens/access-tokens.js';
import { SigningKeys } from '../../libs/auth/src/tokens/signing-keys.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

const ENCRYPTION_KEY = 'an encryption key with many random characters';
const USER = '01900000-0000-7000-8000-0000000000aa';
/** A private key of P-256 with its public key. */
const PKCS8_BYTES = 138;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SESSION = '01900000-0000-7000-8000-0000000000bb';

interface StoredKey {
  readonly kid: string;
  readonly encryption: string;
  readonly secret: Buffer;
}

describe('SigningKeys', () => {
  let database: TestDatabase;
  const processes: AuthHarness[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.close()));
    await database.close();
  });

  async function startProcess(encryptionKey?: string, clock?: ManualClock): Promise<AuthHarness> {
    const settings = encryptionKey === undefined ? {} : { encryptionKey };
    const { dataSource } = database;
    const process = await startAuth({ dataSource, settings, ...(clock && { clock }) });
    processes.push(process);
    return process;
  }

  function stored(): Promise<StoredKey[]> {
    return database.dataSource.query<StoredKey[]>(
      'SELECT kid, encryption, secret FROM signing_key',
    );
  }

  it('makes one key when several processes start at once, and all use it', async () => {
    const started = await Promise.all([1, 2, 3, 4].map(() => startProcess()));
    const keys = await Promise.all(started.map((process) => process.get(SigningKeys).current()));
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
    for (const issuer of started) {
      const { token } = await issuer.get(AccessTokens).issue(USER, SESSION);
      for (const verifier of started) {
        await expect(verifier.get(AccessTokens).verify(token)).resolves.toBeDefined();
      }
    }
    expect(await stored()).toHaveLength(1);
  });

  it('stores the key encrypted when an encryption key is set', async () => {
    const one = await startProcess(ENCRYPTION_KEY);
    const { token } = await one.get(AccessTokens).issue(USER, SESSION);
    const [key] = await stored();
    expect(key).toMatchObject({ encryption: 'aes-256-gcm' });
    expect(key?.secret).toHaveLength(12 + 16 + PKCS8_BYTES);
    const other = await startProcess(ENCRYPTION_KEY);
    await expect(other.get(AccessTokens).verify(token)).resolves.toBeDefined();
  });

  it('encrypts a key that was stored before the encryption key was set', async () => {
    const before = await startProcess();
    const { token } = await before.get(AccessTokens).issue(USER, SESSION);
    const [plain] = await stored();
    expect(plain).toMatchObject({ encryption: 'none' });
    const after = await startProcess(ENCRYPTION_KEY);
    await expect(after.get(AccessTokens).verify(token)).resolves.toBeDefined();
    const [sealed] = await stored();
    expect(sealed).toMatchObject({ kid: plain?.kid, encryption: 'aes-256-gcm' });
    expect(sealed?.secret.includes(plain?.secret ?? '')).toBe(false);
  });

  it.each([
    ['no encryption key', undefined, 'is not set'],
    ['another encryption key', 'quite another key, of the same length', 'another PANTHEON_AUTH'],
  ])('says what to do when there is %s for an encrypted key', async (_, given, reason) => {
    const first = await startProcess(ENCRYPTION_KEY);
    const { kid } = await first.get(SigningKeys).current();
    const second = startProcess(given).then((process) => process.get(SigningKeys).current());
    await expect(second).rejects.toMatchObject({
      code: 'AUTH_SIGNING_KEY_UNREADABLE',
      message: expect.stringMatching(new RegExp(`${kid}.*${reason}`)),
    });
  });

  it('tries again after the database was away', async () => {
    const process = await startProcess();
    await database.dataSource.query('ALTER TABLE signing_key RENAME TO signing_key_away');
    await expect(process.get(SigningKeys).current()).rejects.toThrow('signing_key');
    await database.dataSource.query('ALTER TABLE signing_key_away RENAME TO signing_key');
    await expect(process.get(SigningKeys).current()).resolves.toBeDefined();
  });

  describe('rotation', () => {
    let clock: ManualClock;
    let process: AuthHarness;
    let keys: SigningKeys;

    beforeEach(async () => {
      clock = new ManualClock(Date.now());
      process = await startProcess(undefined, clock);
      keys = process.get(SigningKeys);
    });

    const published = async () =>
      (await keys.all()).published(clock.nowMs()).map(({ generation }) => generation);
    const parts = async () => {
      const ring = await keys.all();
      return ring.keys.map((key) => ring.partOf(key, clock.nowMs()));
    };

    it('publishes the next key for two lives of a cached key set before it signs', async () => {
      const { generation } = await keys.current();
      await keys.rotate();
      expect(await published()).toEqual([generation + 1, generation]);
      expect(await parts()).toEqual(['next', 'signing']);
      clock.advance(2 * 300_000);
      expect((await keys.current()).generation).toBe(generation);
      clock.advance(60_000);
      expect((await keys.current()).generation).toBe(generation + 1);
      expect(await parts()).toEqual(['signing', 'verifying']);
    });

    it('goes on verifying by the old key until its last token has expired', async () => {
      await keys.rotate();
      clock.advance(660_000 - 1);
      const tokens = process.get(AccessTokens);
      const last = await tokens.issue(USER, SESSION);
      clock.advance(last.ttlSeconds * 1000 - 1_000);
      await expect(startAndVerify(last.token)).resolves.toMatchObject({ userId: USER });
      expect(await published()).toHaveLength(2);
      clock.advance(HOUR_MS);
      expect(await published()).toEqual([2]);
    });

    /** In a process that has not seen the token. */
    async function startAndVerify(token: string) {
      const other = await startProcess(undefined, clock);
      return other.get(AccessTokens).verify(token);
    }

    it('makes no second next key', async () => {
      await keys.rotate();
      await keys.rotate();
      expect(await stored()).toHaveLength(2);
    });

    it('makes the next key by itself when its time has come, one for all processes', async () => {
      await keys.current();
      clock.advance(30 * DAY_MS - 1);
      await Promise.all((await startFour()).map((one) => one.get(SigningKeys).current()));
      expect(await stored()).toHaveLength(1);
      clock.advance(1);
      await Promise.all((await startFour()).map((one) => one.get(SigningKeys).current()));
      expect(await stored()).toHaveLength(2);
    });

    const startFour = () => Promise.all([1, 2, 3, 4].map(() => startProcess(undefined, clock)));

    it('withdraws keys: what they signed is refused at once, also what was verified before', async () => {
      const tokens = process.get(AccessTokens);
      const { token } = await tokens.issue(USER, SESSION);
      const claims = await tokens.verify(token);
      expect(tokens.isLive(claims)).toBe(true);
      await Promise.all([keys.withdraw(), keys.withdraw()]);
      expect(tokens.isLive(claims)).toBe(false);
      expect(tokens.verified(token)).toBeUndefined();
      await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
      expect(await stored()).toHaveLength(1);
      await expect(tokens.verify((await tokens.issue(USER, SESSION)).token)).resolves.toBeDefined();
    });

    it('keeps to the keys that it has while the database is away', async () => {
      const { kid } = await keys.current();
      await database.dataSource.query('ALTER TABLE signing_key RENAME TO signing_key_away');
      await expect(keys.rotate()).rejects.toThrow('signing_key');
      expect((await keys.current()).kid).toBe(kid);
      await database.dataSource.query('ALTER TABLE signing_key_away RENAME TO signing_key');
    });
  });

  it('deletes the shared secrets of earlier versions, and leaves what refresh tokens need', async () => {
    const runner = database.dataSource.createQueryRunner();
    try {
      await runner.query('CREATE SCHEMA before; SET search_path TO before');
      const at = (name: string) => authMigrations.findIndex((one) => one.name.startsWith(name));
      const [tables, asymmetric] = [at('AuthTables'), at('AsymmetricSigningKeys')];
      for (const Migration of authMigrations.slice(tables, asymmetric))
        await new Migration().up(runner);
      await runner.query(`
        INSERT INTO signing_key (kid, generation, encryption, secret) VALUES ('old', 1, 'none', '\\x00');
        INSERT INTO organization (id, name) VALUES ('${USER}', 'One');
        INSERT INTO user_account (id, organization_id, email, password_hash)
          VALUES ('${USER}', '${USER}', 'one@test.example', 'hash');
        INSERT INTO user_session (id, user_id, created_at, refreshed_at, expires_at)
          VALUES ('${SESSION}', '${USER}', now(), now(), now() + interval '1 day');
        INSERT INTO refresh_token (id, session_id, token_hash, created_at, expires_at)
          VALUES ('${SESSION}', '${SESSION}', '\\x01', now(), now() + interval '1 day');`);
      for (const Migration of authMigrations.slice(asymmetric)) await new Migration().up(runner);
      const [left] = await runner.query(
        `SELECT (SELECT count(*)::int FROM signing_key) AS keys,
           (SELECT count(*)::int FROM refresh_token JOIN user_session ON true) AS tokens`,
      );
      expect(left).toEqual({ keys: 0, tokens: 1 });
    } finally {
      await runner.query('RESET search_path');
      await runner.release();
    }
  });
});
