import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { type AuthHarness, startAuth } from '../../../../test/auth/auth-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { lockWait } from '../../../../test/support/lock-wait.js';
import { Registration } from '../accounts/registration.js';
import { SessionActivity } from './session-activity.js';
import { SessionInsights } from './session-insights.js';
import { SessionUseStore } from './session-use.store.js';
import { Sessions } from './sessions.js';

const REQUEST = { ip: '192.0.2.1', headers: { 'user-agent': 'Desktop' } };
const LIMITS = { refreshTokenTtlSeconds: 86_400, sessionMaxAgeSeconds: 864_000 };

describe('SessionActivity', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let activity: SessionActivity;
  let userId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    activity = auth.get(SessionActivity);
    const email = `${newId(Date.now())}@example.com`;
    const account = { email, password: 'a long enough password', address: '192.0.2.1' };
    ({ userId } = await auth.get(Registration).register(account));
  });
  afterEach(() => auth.close());

  /** Opens sessions of the user, and gives their ids from the lowest to the highest. */
  async function open(count: number): Promise<string[]> {
    for (let number = 0; number < count; number += 1) {
      await auth.get(Sessions).open(userId, { address: '192.0.2.1', userAgent: 'Desktop' });
    }
    const sessions = await auth.get(SessionInsights).list(userId, count);
    return sessions.map(({ id }) => id);
  }

  async function requestsOf(sessionIds: readonly string[]): Promise<(number | undefined)[]> {
    const sessions = await auth.get(SessionInsights).list(userId, 1_000);
    const counts = new Map(sessions.map(({ id, requestCount }) => [id, requestCount]));
    return sessionIds.map((id) => counts.get(id));
  }

  /** Does something while no session can be read or written. */
  async function withoutTable(work: () => Promise<void>): Promise<void> {
    await database.dataSource.query('ALTER TABLE user_session RENAME TO user_session_away');
    try {
      await work();
    } finally {
      await database.dataSource.query('ALTER TABLE user_session_away RENAME TO user_session');
    }
  }

  it('keeps what could not be written, and adds it to what comes', async () => {
    const ids = await open(2);
    for (const id of [...ids, ...ids]) activity.note(id, REQUEST);
    await withoutTable(() => activity.flush());
    expect(auth.log.lines.join('')).toContain('The use of sessions could not be written');
    activity.note(ids[0] ?? '', REQUEST);
    await activity.flush();
    expect(await requestsOf(ids)).toEqual([3, 2]);
  });

  it('writes no more than the session that somebody asks about', async () => {
    const [mine = '', other = ''] = await open(2);
    for (const id of [mine, mine, other]) activity.note(id, REQUEST);
    const { session } = await auth.get(SessionInsights).analyse(userId, mine);
    expect(session.requestCount).toBe(2);
    expect(await requestsOf([mine, other])).toEqual([2, 0]);
    await activity.flush();
    expect(await requestsOf([mine, other])).toEqual([2, 1]);
  });

  it('waits for a session that is being written with all', async () => {
    const [mine = '', other = ''] = await open(2);
    const locked = database.dataSource.createQueryRunner();
    await locked.startTransaction();
    await locked.query('SELECT 1 FROM user_session WHERE id = $1 FOR UPDATE', [other]);
    for (const id of [mine, other]) activity.note(id, REQUEST);
    const flushed = activity.flush();
    await lockWait(database.dataSource);
    const analysed = auth.get(SessionInsights).analyse(userId, mine);
    await locked.commitTransaction();
    await locked.release();
    await flushed;
    expect((await analysed).session.requestCount).toBe(1);
  });

  it('keeps use of a bounded number of sessions while nothing can be written', async () => {
    auth.settings.overrideAll({ 'auth.sessionActivityMaxEntries': 100 });
    const [id = ''] = await open(1);
    await withoutTable(async () => {
      for (let number = 0; number < 100; number += 1) activity.note(newId(number), REQUEST);
      await activity.flush();
      activity.note(id, REQUEST);
    });
    await activity.flush();
    expect(await requestsOf([id])).toEqual([0]);
    activity.note(id, REQUEST);
    await activity.flush();
    expect(await requestsOf([id])).toEqual([1]);
  });

  it.each([
    [
      'writes the use of sessions',
      (ids: readonly string[]) =>
        auth.get(SessionUseStore).addUsage(
          ids.map((sessionId) => ({ sessionId, requests: 1, lastActiveAt: auth.clock.now() })),
          LIMITS,
        ),
    ],
    ['ends all sessions of a user', () => auth.get(SessionInsights).endAll(userId)],
  ])('waits for one session without holding another that comes after it: %s', async (_, change) => {
    const [low = '', high = ''] = await open(2);
    // So that whoever goes by the table, or by its index, meets the higher id first.
    await database.dataSource.query(
      `UPDATE user_session SET last_active_at = last_active_at - interval '1 minute' WHERE id = $1`,
      [low],
    );
    const other = database.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('SELECT 1 FROM user_session WHERE id = $1 FOR UPDATE', [low]);
    const changed = change([high, low]);
    await lockWait(database.dataSource);
    const free: unknown = await other.query(
      'SELECT id FROM user_session WHERE id = $1 FOR UPDATE SKIP LOCKED',
      [high],
    );
    await other.commitTransaction();
    await other.release();
    await changed;
    expect(free).toEqual([{ id: high }]);
  });
});
