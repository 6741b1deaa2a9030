import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { AccessTokens } from '../../libs/auth/src/tokens/access-tokens.js';
import { SigningKeys } from '../../libs/auth/src/tokens/signing-keys.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

const ENCRYPTION_KEY = 'an encryption key with many random characters';
const USER = '01900000-0000-7000-8000-0000000000aa';
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

  async function startProcess(encryptionKey?: string): Promise<AuthHarness> {
    const settings = encryptionKey === undefined ? {} : { encryptionKey };
    const process = await startAuth({ dataSource: database.dataSource, settings });
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
    expect(key?.secret).toHaveLength(12 + 16 + 32);
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
});
