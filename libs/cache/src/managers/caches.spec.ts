import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheHub } from '../engine/cache-hub.js';
import { CACHE_KINDS, type CacheKind } from './cache-kind.js';
import { Caches } from './caches.js';

const budgetsOf = (bytes: number) =>
  Object.fromEntries(CACHE_KINDS.map((kind) => [kind, bytes])) as Record<CacheKind, number>;

const hub = new CacheHub();
afterEach(() => hub.clear());

const fill = async (caches: Caches, name: string): Promise<void> => {
  const cache = caches.open<string>(name);
  for (let index = 0; index < 300; index += 1) await cache.set(`k${index}`, 'x'.repeat(1_000));
};
const bytesOf = (caches: Caches, kind: CacheKind): number =>
  caches.namespaces(kind).reduce((sum, { cache }) => sum + cache.statistics().bytes, 0);

describe('the namespaces of a process', () => {
  it('are made once', () => {
    const caches = new Caches(hub, budgetsOf(1e6));
    expect(caches.open('once')).toBe(caches.open('once', { kind: 'session' }));
    expect(caches.namespace('once')?.kind).toBe('application');
    expect(caches.find('never')).toBeUndefined();
  });

  it('never hold more together than the budget of their kind', async () => {
    const caches = new Caches(hub, budgetsOf(200_000));
    for (const name of ['a', 'b', 'c', 'd']) {
      caches.open(name, { kind: 'content', maxBytes: 150_000 });
      await fill(caches, name);
    }
    expect(bytesOf(caches, 'content')).toBeGreaterThan(100_000);
    expect(bytesOf(caches, 'content')).toBeLessThanOrEqual(200_000);
  });

  it('shrink at once when their budget does', async () => {
    const caches = new Caches(hub, budgetsOf(200_000));
    caches.open('shrinking', { kind: 'api' });
    await fill(caches, 'shrinking');
    expect(bytesOf(caches, 'api')).toBeGreaterThan(50_000);
    caches.setBudgets(budgetsOf(20_000));
    expect(bytesOf(caches, 'api')).toBeLessThanOrEqual(20_000);
  });

  it('take what they ask for when there is room, and at most the budget', async () => {
    const caches = new Caches(hub, budgetsOf(100_000));
    caches.open('asking', { kind: 'database', maxBytes: 1e9 });
    await fill(caches, 'asking');
    expect(bytesOf(caches, 'database')).toBeGreaterThan(60_000);
    expect(bytesOf(caches, 'database')).toBeLessThanOrEqual(100_000);
    caches.resize('asking', { maxBytes: 10_000 });
    expect(bytesOf(caches, 'database')).toBeLessThanOrEqual(10_000);
  });
});
