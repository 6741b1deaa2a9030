import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AdministratorBootstrap, PrincipalLoader } from '#libs/auth';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Login } from '../../libs/auth/src/accounts/login.js';
import { Registration } from '../../libs/auth/src/accounts/registration.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

const ADDRESS = '192.0.2.1';

describe('AdministratorBootstrap', () => {
  let database: TestDatabase;
  const processes: AuthHarness[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.close()));
    await database.close();
  });

  async function startProcess(settings: Record<string, unknown> = {}): Promise<AuthHarness> {
    const process = await startAuth({ dataSource: database.dataSource, settings });
    processes.push(process);
    return process;
  }

  it('generates a strong password on the first start and never tells it again', async () => {
    const process = await startProcess();
    const bootstrap = process.get(AdministratorBootstrap);
    const { created, email, generatedPassword = '' } = await bootstrap.ensure();
    expect({ created, email }).toEqual({ created: true, email: 'admin@pantheon.local' });
    expect(generatedPassword).toMatch(/^[A-Za-z0-9]{24}$/);
    await expect(bootstrap.ensure()).resolves.toEqual({ created: false, email });
    const credentials = { email, password: generatedPassword, address: ADDRESS };
    await expect(process.get(Login).login(credentials)).resolves.toBeDefined();
    const [row] = await database.dataSource.query<{ text: string }[]>(
      'SELECT account::text AS text FROM user_account account',
    );
    expect(row?.text).toContain('$argon2id$');
    expect(row?.text).not.toContain(generatedPassword);
  });

  it('takes email and password from the settings', async () => {
    const settings = { adminEmail: 'Boss@Example.com', adminPassword: 'chosen by the operator' };
    const process = await startProcess(settings);
    const administrator = await process.get(AdministratorBootstrap).ensure();
    expect(administrator).toEqual({ created: true, email: 'boss@example.com' });
    const principal = await process.get(PrincipalLoader).ofAdministrator();
    expect(principal).toMatchObject({
      email: 'boss@example.com',
      roles: ['admin'],
      grants: [{ resource: '*', action: '*', effect: 'allow' }],
    });
  });

  it('creates one administrator when several processes start at once', async () => {
    const started = await Promise.all([1, 2, 3, 4].map(() => startProcess()));
    const results = await Promise.all(
      started.map((process) => process.get(AdministratorBootstrap).ensure()),
    );
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ email }) => email)).size).toBe(1);
    expect(results.filter(({ generatedPassword }) => generatedPassword !== undefined)).toHaveLength(
      1,
    );
    const [{ count } = { count: 0 }] = await database.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::integer AS count FROM organization',
    );
    expect(count).toBe(1);
  });

  it('refuses a password that does not suit, naming the variable, and creates nothing', async () => {
    const process = await startProcess({ adminPassword: 'too short' });
    await expect(process.get(AdministratorBootstrap).ensure()).rejects.toMatchObject({
      code: 'AUTH_PASSWORD_UNSUITABLE',
      faults: [expect.objectContaining({ path: 'PANTHEON_ADMIN_PASSWORD' })],
    });
    await expect(process.get(PrincipalLoader).ofAdministrator()).resolves.toBeUndefined();
  });

  it('does not let a process start that cannot read the signing keys', async () => {
    const first = await startProcess({ encryptionKey: 'an encryption key with many characters' });
    await first.get(AdministratorBootstrap).ensure();
    const second = await startProcess({ encryptionKey: 'another encryption key, just as long' });
    await expect(second.get(AdministratorBootstrap).ensure()).rejects.toMatchObject({
      code: 'AUTH_SIGNING_KEY_UNREADABLE',
    });
  });

  it('makes nobody an administrator who has registered under that email', async () => {
    const process = await startProcess();
    const email = 'admin@pantheon.local';
    const password = 'a stranger was faster';
    await process.get(Registration).register({ email, password, address: ADDRESS });
    await expect(process.get(AdministratorBootstrap).ensure()).rejects.toMatchObject({
      code: 'AUTH_ADMINISTRATOR_EMAIL_TAKEN',
    });
    await expect(process.get(PrincipalLoader).ofEmail(email)).resolves.toMatchObject({
      roles: ['owner'],
    });
  });
});
