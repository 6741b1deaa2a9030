import { describe, expect, it } from '@jest/globals';
import { ApiKeyUsage } from '../../libs/auth/src/api-keys/api-key-usage.js';
import { EndedApiKeysPurger } from '../../libs/auth/src/api-keys/ended-api-keys.purger.js';
import { apiKeysHarness, READ_SOURCES, REFUSED, WORKS } from './api-keys-harness.js';
import { expectProblem } from './expect-problem.js';

const DAY_SECONDS = 86_400;

const keys = apiKeysHarness();
const { createKey, manage, statusOf, withKey } = keys;

describe('an API key', () => {
  it('is shown once, and kept only as a hash', async () => {
    const { id, key } = await createKey();
    expect(key).toMatch(/^pan_[0-9A-Za-z]{65}$/);
    const shown = await manage('GET', `/${id}`);
    const listed = await manage('GET', '');
    for (const { status, body } of [shown, listed]) {
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain(key.slice(20));
    }
    const tables = await Promise.all(
      ['api_key', 'api_key_version', 'security_event', 'idempotency_key'].map((table) =>
        keys.api.platform.dataSource.query(`SELECT row_to_json(t)::text AS row FROM ${table} t`),
      ),
    );
    expect(JSON.stringify(tables)).toContain(id);
    expect(JSON.stringify(tables)).not.toContain(key.slice(20));
  });

  it('is not kept for a retry either', async () => {
    const request = {
      token: keys.owner,
      headers: { 'idempotency-key': 'once' },
      body: { name: 'robot', scope: READ_SOURCES },
    };
    const first = await keys.api.request('POST', '/v1/auth/api-keys', request);
    const again = await keys.api.request('POST', '/v1/auth/api-keys', request);
    expect(first.body.key).toMatch(/^pan_/);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual({ ...first.body, key: null });
  });

  it('is one of a bounded number of its owner’s', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => manage('POST', '', { name: 'robot', scope: READ_SOURCES })),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(5);
    for (const answer of made.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'AUTH_API_KEY_LIMIT');
    }
    await manage('DELETE', `/${made.find(({ status }) => status === 201)?.body.id}`);
    await createKey();
  });

  it('is renamed, and limited but never widened', async () => {
    const scope = [{ resource: 'source:*', action: '*' }, ...READ_SOURCES];
    const { id, key } = await createKey({ scope });
    const renamed = await manage('PATCH', `/${id}`, { name: 'archivist' });
    expect(renamed.body).toMatchObject({ name: 'archivist', scope, version: 1 });
    const narrower = [{ resource: 'source:notes', action: 'read' }];
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    expect((await manage('PATCH', `/${id}`, { scope: narrower })).body.scope).toEqual(narrower);
    const { body } = await withKey(key, 'POST', '/v1/auth/check', {
      resource: 'source:other',
      action: 'read',
    });
    expect(body).toMatchObject({ allowed: false });
    for (const wider of [{ scope }, { expiresInSeconds: 200 * DAY_SECONDS }]) {
      expectProblem(await manage('PATCH', `/${id}`, wider), 403, 'AUTH_API_KEY_WIDENED');
    }
  });

  it('counts its uses, and knows when and from where the last one came', async () => {
    const { id, key } = await createKey();
    for (let use = 0; use < 20; use += 1) await withKey(key);
    await keys.api.app.get(ApiKeyUsage, { strict: false }).flush();
    const { body } = await manage('GET', `/${id}`);
    expect(body).toMatchObject({ useCount: 20, lastUsedAddress: '127.0.0.1' });
    expect(Date.parse(body.lastUsedAt)).toBeGreaterThan(Date.parse(body.createdAt) - 1);
    expect(body.versions).toMatchObject([
      { version: 1, useCount: 20, startsWith: key.slice(0, 10) },
    ]);
  });

  it('ends when it is revoked, also where it was in memory', async () => {
    const { id, key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    expect(await manage('DELETE', `/${id}`)).toMatchObject({ status: 204 });
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    expect(await manage('DELETE', `/${id}`)).toMatchObject({ status: 204 });
    const { body } = await manage('GET', `/${id}`);
    expect(body).toMatchObject({ status: 'revoked' });
    for (const [method, path] of [
      ['PATCH', `/${id}`],
      ['POST', `/${id}/rotate`],
    ] as const) {
      const answer = await manage(method, path, method === 'PATCH' ? { name: 'again' } : {});
      expectProblem(answer, 409, 'AUTH_API_KEY_ENDED');
    }
  });
});

describe('a rotated API key', () => {
  it('works in both texts until the overlap ends, and in the new one after it', async () => {
    const { id, key } = await createKey();
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    const rotated = await manage('POST', `/${id}/rotate`, { overlapSeconds: 3_600 });
    expect(rotated).toMatchObject({ status: 201, body: { id, version: 2 } });
    expect(rotated.body.key).not.toBe(key);
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    await expect(statusOf(rotated.body.key)).resolves.toEqual(WORKS);
    keys.api.clock.advance(3_601_000);
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    await expect(statusOf(rotated.body.key)).resolves.toEqual(WORKS);
  });

  it('ends the texts before the last two at once, and the last with no overlap', async () => {
    const { id, key: first } = await createKey();
    await expect(statusOf(first)).resolves.toEqual(WORKS);
    const second = (await manage('POST', `/${id}/rotate`)).body.key;
    await expect(statusOf(first)).resolves.toEqual(WORKS);
    const third = (await manage('POST', `/${id}/rotate`)).body.key;
    await expect(statusOf(first)).resolves.toEqual(REFUSED);
    await expect(statusOf(second)).resolves.toEqual(WORKS);
    const fourth = (await manage('POST', `/${id}/rotate`, { overlapSeconds: 0 })).body.key;
    for (const key of [first, second, third]) {
      await expect(statusOf(key)).resolves.toEqual(REFUSED);
    }
    await expect(statusOf(fourth)).resolves.toEqual(WORKS);
    await manage('DELETE', `/${id}`);
    await expect(statusOf(fourth)).resolves.toEqual(REFUSED);
  });
});

describe('the life of an API key', () => {
  it('is 90 days unless asked otherwise, and bounded', async () => {
    const { body } = await manage('POST', '', { name: 'robot', scope: READ_SOURCES });
    const days = (Date.parse(body.expiresAt) - Date.parse(body.createdAt)) / 1000 / DAY_SECONDS;
    expect(days).toBe(90);
    const tooLong = { expiresInSeconds: 366 * DAY_SECONDS };
    const created = await manage('POST', '', { name: 'robot', scope: READ_SOURCES, ...tooLong });
    expectProblem(created, 400, 'AUTH_API_KEY_LIFE');
    const rotated = await manage('POST', `/${body.id}/rotate`, { overlapSeconds: 8 * DAY_SECONDS });
    expectProblem(rotated, 400, 'AUTH_API_KEY_LIFE');
  });

  it('ends to the second, also in memory', async () => {
    const { id, key } = await createKey({ expiresInSeconds: 60 });
    await expect(statusOf(key)).resolves.toEqual(WORKS);
    keys.api.clock.advance(61_000);
    await expect(statusOf(key)).resolves.toEqual(REFUSED);
    const { body } = await manage('GET', `/${id}`);
    expect(body.status).toBe('expired');
  });

  it('is forgotten a month after its end, and not before', async () => {
    const { id } = await createKey();
    await manage('DELETE', `/${id}`);
    const purger = keys.api.app.get(EndedApiKeysPurger, { strict: false });
    const isThere = async () => (await manage('GET', `/${id}`)).status === 200;
    const endedMs = keys.api.clock.nowMs();
    await purger.purgeBatch(1_000, new Date(endedMs + 29 * DAY_SECONDS * 1_000));
    expect(await isThere()).toBe(true);
    await purger.purgeBatch(1_000, new Date(endedMs + 31 * DAY_SECONDS * 1_000));
    expect(await isThere()).toBe(false);
  });
});
