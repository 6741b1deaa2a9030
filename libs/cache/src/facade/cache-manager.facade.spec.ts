import { afterEach, describe, expect, it } from '@jest/globals';
import type { Cache as CacheManager } from 'cache-manager';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '#libs/core';
import { CacheHub } from '../engine/cache-hub.js';
import { KeyvIncompatibleError } from '../errors/keyv-incompatible.error.js';
import { CacheManagerFacade } from './cache-manager.facade.js';
import { assertKeyvMajor, resolvedKeyvVersion } from './keyv-major.js';

describe('CacheManagerFacade', () => {
  const clock = new ManualClock();
  const hub = new CacheHub({ clock, clockResolutionMs: 0 });
  const facade = new CacheManagerFacade(hub.cache('manager', { jitter: 0, ttlMs: 5_000 }));
  // What code that was written for cache-manager calls; the rest of its interface is its stores.
  const manager: Pick<
    CacheManager,
    'get' | 'set' | 'del' | 'mget' | 'mdel' | 'ttl' | 'clear' | 'wrap' | 'disconnect' | 'cacheId'
  > = facade;

  afterEach(() => manager.clear());

  it('gets, sets and deletes, also values that are not true', async () => {
    for (const value of [0, '', false, null]) {
      expect(await manager.set('k', value)).toBe(value);
      expect(await manager.get('k')).toBe(value);
    }
    expect(await manager.del('k')).toBe(true);
    expect(await manager.get('k')).toBeUndefined();
  });

  it('takes a life in milliseconds, 0 for the longest, and tells when an entry ends', async () => {
    await manager.set('short', 1, 100);
    await manager.set('usual', 1);
    await manager.set('long', 1, 0);
    expect(await manager.ttl('short')).toBe(clock.nowMs() + 100);
    expect(await manager.ttl('usual')).toBe(clock.nowMs() + 5_000);
    expect(await manager.ttl('absent')).toBeUndefined();
    clock.advance(3_600_000);
    expect(await manager.mget(['short', 'usual', 'long', 'absent'])).toEqual([
      undefined,
      undefined,
      1,
      undefined,
    ]);
  });

  it('writes, reads and deletes many', async () => {
    const list = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 50 },
    ];
    expect(await facade.mset(list)).toEqual(list);
    expect(await manager.mget(['b', 'a'])).toEqual([2, 1]);
    clock.advance(50);
    expect(await manager.mget(['b', 'a'])).toEqual([undefined, 1]);
    expect(await manager.mdel(['a', 'b'])).toBe(true);
    expect(await manager.get('a')).toBeUndefined();
  });

  it('wraps a computation once for concurrent callers, with the life of its value', async () => {
    let runs = 0;
    const compute = (): Promise<number> => {
      runs += 1;
      return Promise.resolve(200);
    };
    const all = await Promise.all(
      [1, 2, 3].map(() => manager.wrap('w', compute, (value) => value)),
    );
    expect([all, runs]).toEqual([[200, 200, 200], 1]);
    clock.advance(200);
    await manager.wrap('w', compute, { ttl: 1_000 });
    expect(runs).toBe(2);
  });

  it('refreshes in the background when less than the threshold is left', async () => {
    let value = 0;
    const compute = (): number => (value += 1);
    await manager.wrap('w', compute, 1_000, 300);
    clock.advance(699);
    await manager.wrap('w', compute, 1_000, 300);
    expect(value).toBe(1);
    clock.advance(1);
    expect(await manager.wrap('w', compute, 1_000, 300)).toBe(1);
    await hub.drain();
    expect(await manager.wrap('w', compute, 1_000, 300)).toBe(2);
  });

  it('tells its listeners', async () => {
    const seen: unknown[] = [];
    facade.on('set', (data) => seen.push(data));
    facade.on('del', (data) => seen.push(data));
    facade.on('clear', () => seen.push('clear'));
    await manager.set('k', 1);
    await manager.del('k');
    await manager.clear();
    expect(seen).toEqual([{ key: 'k', value: 1 }, { key: 'k' }, 'clear']);
  });
});

describe('the check of Keyv', () => {
  it('finds and accepts the Keyv that is installed', () => {
    expect(resolvedKeyvVersion()).toMatch(/^5\./);
    expect(() => assertKeyvMajor()).not.toThrow();
  });

  it('refuses another major and says what to do', () => {
    expect(() => assertKeyvMajor('6.0.0')).toThrow(KeyvIncompatibleError);
    expect(() => assertKeyvMajor('6.0.0')).toThrow('npm i keyv@5');
    expect(() => assertKeyvMajor('4.5.4')).toThrow(KeyvIncompatibleError);
  });

  it('reads the version of the package that would be resolved', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cache-keyv-'));
    const keyv = join(folder, 'node_modules', 'keyv');
    await mkdir(join(keyv, 'dist'), { recursive: true });
    await writeFile(
      join(keyv, 'package.json'),
      '{"name":"keyv","version":"6.1.2","main":"dist/index.cjs"}',
    );
    await writeFile(join(keyv, 'dist', 'package.json'), '{"type":"commonjs"}');
    await writeFile(join(keyv, 'dist', 'index.cjs'), '');
    expect(resolvedKeyvVersion(join(folder, 'index.js'))).toBe('6.1.2');
    await rm(folder, { recursive: true });
  });
});
