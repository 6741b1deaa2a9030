import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { IdempotencyClaim } from './idempotency.store.js';
import { PostgresIdempotencyStore } from './postgres-idempotency.store.js';

let database: TestDatabase;
let store: PostgresIdempotencyStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = new PostgresIdempotencyStore(database.dataSource);
});

afterAll(() => database.close());

function claimOf(requestHash = 'hash'): IdempotencyClaim {
  return { ownerId: newId(), route: 'POST /v1/sources', key: 'key', requestHash };
}

describe('PostgresIdempotencyStore', () => {
  it('gives the first answer again, falsy bodies included', async () => {
    for (const body of [{ id: 1 }, null, 0, '']) {
      const claim = claimOf();
      expect(await store.claim(claim)).toEqual({ state: 'claimed' });
      await store.complete(claim, { status: 201, body });
      expect(await store.claim(claim)).toEqual({
        state: 'answered',
        answer: { status: 201, body },
      });
    }
  });

  it('lets exactly one of many concurrent requests through', async () => {
    const claim = claimOf();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.claim(claim)));
    const states = outcomes.map(({ state }) => state);
    expect(states.filter((state) => state === 'claimed')).toHaveLength(1);
    expect(states.filter((state) => state === 'running')).toHaveLength(19);
  });

  it('refuses a key that was used for another request', async () => {
    const claim = claimOf();
    await store.claim(claim);
    await store.complete(claim, { status: 201, body: {} });
    expect(await store.claim({ ...claim, requestHash: 'other' })).toEqual({ state: 'mismatch' });
  });

  it('frees a key after a failure, but never one that is answered', async () => {
    const claim = claimOf();
    await store.claim(claim);
    await store.release(claim);
    expect(await store.claim(claim)).toEqual({ state: 'claimed' });
    await store.complete(claim, { status: 201, body: {} });
    await store.release(claim);
    expect(await store.claim(claim)).toMatchObject({ state: 'answered' });
  });

  it('frees no key of a request that is still at work', async () => {
    const claim = claimOf();
    await store.claim(claim);
    await age(claim, "created_at = now() - interval '3 minutes'");
    await store.renew(claim);
    expect(await store.claim(claim)).toEqual({ state: 'running' });
    await store.complete(claim, { status: 201, body: {} });
    await store.renew(claim);
    expect(await store.claim(claim)).toMatchObject({ state: 'answered' });
  });

  it('frees a key whose process died, and one that has expired', async () => {
    const claim = claimOf();
    await store.claim(claim);
    await age(claim, "created_at = now() - interval '3 minutes'");
    expect(await store.claim(claim)).toEqual({ state: 'claimed' });
    await store.complete(claim, { status: 201, body: {} });
    await age(claim, "expires_at = now() - interval '1 second'");
    expect(await store.claim(claim)).toEqual({ state: 'claimed' });
    await store.complete(claim, { status: 201, body: {} });
    expect(await store.claim(claim)).toMatchObject({ state: 'answered' });
  });
});

function age({ ownerId }: IdempotencyClaim, change: string): Promise<unknown> {
  return database.dataSource.query(`UPDATE idempotency_key SET ${change} WHERE owner_id = $1`, [
    ownerId,
  ]);
}
