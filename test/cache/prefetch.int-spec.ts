import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheLearning } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { type CacheApp, createDatabase, startCacheApp } from './support/cache-app.js';

@Injectable()
class Pages {
  readonly loads: string[] = [];

  @Cacheable({
    namespace: 'test.visits',
    key: 'page:{name}',
    ttlMs: 60_000,
    jitter: 0,
    useTiers: false,
    prefetch: { minConfidence: 0.4 },
  })
  async open(name: string): Promise<string> {
    this.loads.push(`${name} for ${currentContext()?.userId}`);
    return name;
  }

  @Cacheable({
    namespace: 'test.own',
    varyBy: ['user'],
    ttlMs: 60_000,
    jitter: 0,
    useTiers: false,
    prefetch: true,
  })
  async own(name: string): Promise<string> {
    this.loads.push(`own ${name} for ${currentContext()?.userId}`);
    return name;
  }
}

describe('prefetching behind @Cacheable', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let app: CacheApp;
  let pages: Pages;

  beforeEach(async () => {
    database = await createDatabase();
    app = await startCacheApp({ databaseUrl: database.url, providers: [Pages] });
    pages = app.get(Pages);
  });

  afterEach(async () => {
    await app.stop();
    await database.drop();
  });

  const as = <Result>(userId: string, work: () => Promise<Result>): Promise<Result> =>
    runWithContext(createContext({ userId }), work);

  /** Visits so far apart that nothing is cached any more. */
  async function visit(times: number, user: string, read: () => Promise<unknown>): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await as(user, read);
      await sleep(5);
      app.clock.advance(3_600_000);
      // Until the clock that hits are judged by has seen it.
      await sleep(25);
    }
  }

  const counts = (namespace: string) =>
    app.get(CacheLearning).of(namespace)?.prefetcher?.counts() ?? { used: -1, started: -1 };

  it('loads the usual next call of a user before it comes, as that user', async () => {
    await visit(4, 'ada', async () => {
      await pages.open('list');
      await pages.open('first');
    });
    pages.loads.length = 0;
    await as('bob', () => pages.open('list'));
    await sleep(20);
    expect(pages.loads).toEqual(['list for bob', 'first for bob']);
    expect(await as('bob', () => pages.open('first'))).toBe('first');
    expect(pages.loads).toHaveLength(2);
    expect(counts('test.visits').used).toBeGreaterThanOrEqual(1);
  });

  it('never loads for one user what belongs to another', async () => {
    await visit(4, 'ada', async () => {
      await pages.own('list');
      await pages.own('first');
    });
    pages.loads.length = 0;
    await visit(3, 'bob', () => pages.own('list'));
    expect(pages.loads.every((load) => load.endsWith('for bob'))).toBe(true);
  });

  it('ends at once when it is switched off, and learns nothing then', async () => {
    app.get(SettingsStore).replaceLayers({ overrides: { cacheLearning: { prefetch: false } } });
    await visit(5, 'ada', async () => {
      await pages.open('list');
      await pages.open('first');
    });
    expect(counts('test.visits').started).toBe(0);
  });
});
