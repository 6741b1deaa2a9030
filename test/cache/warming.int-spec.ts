import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheHub,
  HotSetStore,
  WarmUp,
  warmCache,
  type WarmCacheResult,
} from '#libs/cache';
import { JobQueue } from '#libs/jobs';
import { DataSource } from 'typeorm';
import { JobBrowser } from '../../libs/jobs/src/job-browser.js';
import { type CacheApp, createDatabase, startCacheApp } from './support/cache-app.js';

/** What the providers of the tests have loaded, over all applications of a test. */
let loads: string[] = [];

@Injectable()
class Rates {
  @Cacheable({ namespace: 'test.rates', key: 'rate:{currency}', useTiers: false, ttlMs: 3_600_000 })
  @WarmUp({ keys: ['EUR', ['USD'], 'BAD', 'GBP'] })
  async rateOf(currency: string): Promise<number> {
    loads.push(`rate ${currency}`);
    if (currency === 'BAD') throw new Error('no such currency');
    return currency.length;
  }
}

@Injectable()
class Catalogue {
  @Cacheable({ namespace: 'test.pages', useTiers: false, ttlMs: 3_600_000 })
  @WarmUp({ topN: 3, concurrency: 2, beforePeaks: true })
  async page(query: { readonly name: string; readonly at: number }): Promise<string> {
    loads.push(`page ${query.name}`);
    return `${query.name} ${query.at}`;
  }
}

@Injectable()
class Entities {
  readonly ids = ['a', 'b', 'c'];

  @Cacheable({ namespace: 'test.entities', useTiers: false, ttlMs: 3_600_000 })
  @WarmUp<Entities>({ everyMs: 86_400_000, keys: (entities) => entities.ids })
  async find(id: string): Promise<string> {
    loads.push(`entity ${id}`);
    return id;
  }
}

describe('warming of caches', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  const apps: CacheApp[] = [];

  beforeEach(async () => {
    loads = [];
    database = await createDatabase();
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop();
    await database.drop();
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<CacheApp> {
    const app = await startCacheApp({
      databaseUrl: database.url,
      providers: [Rates, Catalogue, Entities],
      environment,
    });
    apps.push(app);
    return app;
  }

  async function stop(app: CacheApp): Promise<void> {
    apps.splice(apps.indexOf(app), 1);
    await app.stop();
  }

  /** The result of the last job that has ended for a reason. */
  async function ended(app: CacheApp, reason: string): Promise<WarmCacheResult> {
    for (let tries = 0; tries < 400; tries += 1) {
      const { items } = await app
        .get(JobBrowser)
        .list({ name: 'warm-cache', state: 'completed' }, 50, undefined);
      for (const { id } of items) {
        const { payload, result } = await app.get(JobBrowser).get(id);
        if ((payload as { reason: string }).reason === reason) return result as WarmCacheResult;
      }
      await sleep(25);
    }
    throw new Error(`No warm-up for the reason "${reason}" has ended.`);
  }

  it('loads what a decorator lists when a process starts; one key that fails stops no other', async () => {
    const app = await start();
    const result = await ended(app, 'deployment');
    expect(result.namespaces['test.rates']).toEqual({
      total: 4,
      loaded: 3,
      failed: 1,
      skipped: 0,
      failures: [{ key: expect.stringContaining('BAD'), message: 'no such currency' }],
    });
    loads = [];
    expect(await app.get(Rates).rateOf('USD')).toBe(3);
    expect(loads).toEqual([]);
  });

  it('brings back what was read most before the restart, with the arguments it was read with', async () => {
    const first = await start();
    await ended(first, 'deployment');
    const pages = first.get(Catalogue);
    const names = ['one', 'two', 'three', 'four', 'five'];
    for (const [index, name] of names.entries()) {
      for (let read = 0; read < 40 - 8 * index; read += 1) await pages.page({ name, at: index });
    }
    await stop(first);
    loads = [];
    const second = await start();
    const { namespaces } = await ended(second, 'start');
    expect(namespaces['test.pages']).toMatchObject({ total: 3, loaded: 3, failed: 0 });
    expect(loads.filter((load) => load.startsWith('page')).sort()).toEqual([
      'page one',
      'page three',
      'page two',
    ]);
    loads = [];
    expect(await second.get(Catalogue).page({ at: 1, name: 'two' })).toBe('two 1');
    expect(loads).toEqual([]);
  });

  it('says which start follows a deployment', async () => {
    const first = await start({ PANTHEON_CACHE_WARMING_DEPLOYMENT: 'one' });
    await ended(first, 'deployment');
    await stop(first);
    const same = await start({ PANTHEON_CACHE_WARMING_DEPLOYMENT: 'one' });
    await ended(same, 'start');
    await stop(same);
    const next = await start({ PANTHEON_CACHE_WARMING_DEPLOYMENT: 'two' });
    expect(await ended(next, 'deployment')).toMatchObject({ failed: 1 });
  });

  it('puts the schedule of a decorator among those of the jobs, and runs it', async () => {
    const app = await start();
    await ended(app, 'deployment');
    const schedules = await app.get(JobBrowser).listSchedules();
    expect(schedules.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['warm-cache-peaks', 'warm-cache.Entities.find']),
    );
    await app.get(JobQueue).enqueue(warmCache, { reason: 'schedule', method: 'Entities.find' });
    const { namespaces } = await ended(app, 'schedule');
    expect(Object.keys(namespaces)).toEqual(['test.entities']);
    expect(loads).toEqual(expect.arrayContaining(['entity a', 'entity b', 'entity c']));
  });

  it('warms before the hour in which reads rose on the days before', async () => {
    const app = await start();
    await ended(app, 'deployment');
    await app.get(Catalogue).page({ name: 'one', at: 0 });
    const hour = 3_600_000;
    const nextHour = Math.floor(app.clock.nowMs() / hour) * hour + hour;
    const reads = [];
    for (let before = 1; before <= 72; before += 1) {
      const hourMs = nextHour - before * hour;
      reads.push({ hourMs, reads: before % 24 === 0 ? 1_000 : 10 });
    }
    await app.get(HotSetStore).addHours('test.pages', reads);
    const args = [{ name: 'peak', at: 7 }];
    const key = [...(await keysOf(app, args))].at(-1) as string;
    await app.get(HotSetStore).addKeys('test.pages', [{ key, args, reads: 99 }], 3);
    app.clock.advance(nextHour - app.clock.nowMs() - 300_000);
    await app.get(JobQueue).enqueue(warmCache, { reason: 'peak' });
    const result = await ended(app, 'peak');
    expect(Object.keys(result.namespaces)).toEqual(['test.pages']);
    expect(loads).toContain('page peak');
  });

  it('loads nothing of its own accord while it is switched off', async () => {
    const app = await start({ PANTHEON_CACHE_WARMING_ENABLED: 'false' });
    await app.get(JobQueue).enqueue(warmCache, { reason: 'schedule' });
    expect(await ended(app, 'schedule')).toMatchObject({ total: 0 });
    await app.get(JobQueue).enqueue(warmCache, { reason: 'request', namespace: 'test.rates' });
    expect(await ended(app, 'request')).toMatchObject({ total: 4, loaded: 3, failed: 1 });
  });

  it('stores hot keys encrypted where the cache has encryption keys', async () => {
    const app = await start({
      PANTHEON_CACHE_ENCRYPTION_KEYS: `one:${Buffer.alloc(32, 7).toString('base64')}`,
    });
    const args = [{ name: 'a name of somebody', at: 0 }];
    await app
      .get(HotSetStore)
      .addKeys('test.pages', [{ key: 'a name of somebody', args, reads: 1 }], 10);
    const [row] = await app.get(DataSource).query('SELECT recipe FROM cache_hot_key');
    expect((row as { recipe: Buffer }).recipe.includes('somebody')).toBe(false);
    expect(await app.get(HotSetStore).top('test.pages', 10)).toEqual([
      { key: 'a name of somebody', args },
    ]);
  });

  /** The keys that are in memory after a call with these arguments. */
  async function keysOf(app: CacheApp, args: readonly { name: string; at: number }[]) {
    const cache = app.get(CacheHub).cache<string>('test.pages');
    const keys: string[] = [];
    const { tap } = cache;
    cache.tap = { record: (key) => keys.push(key) };
    await app.get(Catalogue).page(args[0] as { name: string; at: number });
    cache.tap = tap;
    await cache.clear();
    loads = [];
    return keys;
  }
});
