import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { type AuthHarness, startAuth } from '../../../../test/auth/auth-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { Login } from './login.js';
import { Registration } from './registration.js';

const PASSWORD = 'a long enough password';
const HERE = '192.0.2.1';
const ELSEWHERE = '203.0.113.9';

describe('Login', () => {
  let database: TestDatabase;
  let auth: AuthHarness;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
  });
  afterEach(() => auth.close());

  async function newUser(): Promise<string> {
    const email = `${newId(Date.now())}@example.com`;
    await auth.get(Registration).register({ email, password: PASSWORD, address: HERE });
    return email;
  }

  async function fail(email: string, address: string): Promise<void> {
    const verified = auth.get(Login).verify({ email, password: 'a wrong password', address });
    await expect(verified).rejects.toMatchObject({ code: 'AUTH_CREDENTIALS_INVALID' });
  }

  it('counts the failures of the account, wherever they came from, and not those of neighbours', async () => {
    const [email, neighbour] = [await newUser(), await newUser()];
    const attempt = { email, password: PASSWORD, address: HERE };
    for (let time = 0; time < 3; time += 1) await fail(neighbour, HERE);
    await expect(auth.get(Login).verify(attempt)).resolves.toMatchObject({ failuresBefore: 0 });
    await fail(email, HERE);
    await fail(email, ELSEWHERE);
    await expect(auth.get(Login).verify(attempt)).resolves.toMatchObject({ failuresBefore: 2 });
  });
});
