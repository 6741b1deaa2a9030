import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type Principal } from '#libs/core';
import { type AuthHarness, startAuth } from '../../../../test/auth/auth-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { Authenticator } from '../accounts/authenticator.js';
import { Registration } from '../accounts/registration.js';
import { ApiKeys } from './api-keys.js';

const SCOPE = [{ resource: 'source:*', action: 'read' }];

describe('a rotated API key', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let owner: Principal;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    owner = await auth.get(Registration).register({
      email: `${newId(Date.now())}@example.com`,
      password: 'a long enough password',
      address: '192.0.2.1',
    });
  });
  afterEach(() => auth.close());

  const use = (key: string) =>
    auth.get(Authenticator).authenticate({ headers: { 'x-api-key': key } });

  it('works in none of its texts once it has expired', async () => {
    const keys = auth.get(ApiKeys);
    const { id, key } = await keys.create(owner, { name: 'robot', scope: SCOPE });
    const rotated = await keys.rotate(owner, id, { expiresInSeconds: 60 });
    expect(rotated.versions.map(({ expiresAt }) => expiresAt)).toEqual(
      Array(2).fill(rotated.expiresAt.toISOString()),
    );
    await expect(use(key)).resolves.toMatchObject({ credential: { id } });
    auth.clock.advance(61_000);
    expect((await keys.get(owner, id)).status).toBe('expired');
    for (const text of [key, rotated.key]) {
      await expect(use(text)).rejects.toMatchObject({ code: 'AUTH_API_KEY_INVALID' });
    }
  });

  it('ends with the key, whatever was written for a text of it', async () => {
    const keys = auth.get(ApiKeys);
    const { id, key } = await keys.create(owner, {
      name: 'robot',
      scope: SCOPE,
      expiresInSeconds: 60,
    });
    await database.dataSource.query(
      `UPDATE api_key_version SET expires_at = expires_at + interval '1 day' WHERE key_id = $1`,
      [id],
    );
    await expect(use(key)).resolves.toMatchObject({ credential: { id } });
    auth.clock.advance(61_000);
    await expect(use(key)).rejects.toMatchObject({ code: 'AUTH_API_KEY_INVALID' });
  });
});
