import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type Principal } from '#libs/core';
import { type AuthHarness, startAuth } from '../../../../test/auth/auth-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { Registration } from '../accounts/registration.js';
import { SessionProfiles } from './session-profiles.js';
import { Sessions } from './sessions.js';

const HOME = { address: '192.0.2.1', userAgent: 'Desktop' };
const ABROAD = { address: '203.0.113.9', userAgent: 'curl' };

describe('SessionProfiles', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let user: Principal;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    const email = `${newId(Date.now())}@example.com`;
    const account = { email, password: 'a long enough password', address: HOME.address };
    user = await auth.get(Registration).register(account);
  });
  afterEach(() => auth.close());

  /** Sessions of a client of OAuth 2.0, which are much used, and later than all before. */
  async function openClientSessions(count: number): Promise<void> {
    auth.clock.advance(1_000);
    const clientId = newId(auth.clock.nowMs());
    await database.dataSource.query(
      `INSERT INTO oauth_client (id, organization_id, name, type, grant_types, redirect_uris, scopes, created_at)
       VALUES ($1, $2, 'Reader', 'public', '{}', '{}', '{}', $3)`,
      [clientId, user.organizationId, auth.clock.now()],
    );
    await database.dataSource.query(
      `INSERT INTO user_session (id, user_id, client_id, scope, created_at, refreshed_at,
         last_active_at, expires_at, request_count)
       SELECT gen_random_uuid(), $1, $2, '*:*', $3, $3, $3, $3::timestamptz + interval '14 days', 1000
       FROM generate_series(1, $4)`,
      [user.userId, clientId, auth.clock.now(), count],
    );
  }

  it('learns nothing from the sessions of clients', async () => {
    await openClientSessions(1);
    const profiles = auth.get(SessionProfiles);
    await expect(profiles.ofStart(user.userId, HOME)).resolves.toMatchObject({
      risk: 'normal',
      anomalies: [],
      idleTimeoutSeconds: 21 * 60,
    });
  });

  it('knows where a user was however many sessions clients have had since', async () => {
    await auth.get(Sessions).open(user.userId, HOME);
    await openClientSessions(20);
    const profiles = auth.get(SessionProfiles);
    expect((await profiles.ofStart(user.userId, HOME)).anomalies).toEqual([]);
    expect((await profiles.ofStart(user.userId, ABROAD)).anomalies).toEqual([
      'new-network',
      'new-device',
    ]);
  });
});
