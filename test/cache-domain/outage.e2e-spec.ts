import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContextClient, contextClient } from '../context/context-fixtures.js';
import type { TestAnswer } from '../support/app.js';
import { startRedisServer, type TestRedis } from '../support/redis-server.js';
import { type Instances, startInstances } from './instances.js';

let redis: TestRedis;
let instances: Instances;
let onA: ContextClient;
let onB: ContextClient;

const contentsOf = ({ body }: TestAnswer): string =>
  (body.messages as { content: string }[]).map(({ content }) => content).join('\n');

async function eventually(isTrue: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 50));
  return performance.now() - startedMs;
}

beforeAll(async () => {
  redis = await startRedisServer();
  instances = await startInstances('Redis', redis.url);
  const token = await instances.a.register('ann@test.example');
  onA = contextClient(instances.a, token);
  onB = contextClient(instances.b, token);
  await onA.makeSource('notes');
  await onA.addEntry('notes', { text: 'Before' });
}, 60_000);
afterAll(async () => {
  await instances.close();
  await redis.stop();
}, 60_000);

describe('when Redis goes away', () => {
  it('writes succeed, are read at once where they were made, and soon everywhere', async () => {
    const request = { sources: [{ id: 'notes' }] };
    for (const client of [onA, onB]) {
      await client.compile(request);
      await client.compile(request);
    }
    const user = { email: 'bob@test.example', password: 'a long enough password' };
    const created = await onA.post('/v1/auth/users', { ...user, roles: ['member'] });
    expect(created.status).toBe(201);
    const bob = contextClient(instances.b, await instances.b.login(user));
    expect((await bob.get('/v1/auth/me')).status).toBe(200);

    await redis.stop();
    await onA.addEntry('notes', { text: 'During the outage' });
    expect(contentsOf(await onA.compile(request))).toContain('During the outage');
    // In memory nothing lives for longer than five seconds while nobody can be told.
    const ms = await eventually(async () =>
      contentsOf(await onB.compile(request)).includes('During the outage'),
    );
    expect(ms).toBeLessThan(15_000);
    // Permissions are asked of the database meanwhile.
    const change = { disabled: true };
    const changed = await onA.send('PATCH', `/v1/auth/users/${created.body.id}`, change);
    expect(changed.status).toBe(200);
    expect((await bob.get('/v1/auth/me')).status).toBe(401);
    expect(JSON.stringify(instances.a.log.lines)).toContain('CONTEXT_INVALIDATION_UNCONFIRMED');
  }, 60_000);
});
