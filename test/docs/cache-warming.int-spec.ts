import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheLearning, Caches, warmCache } from '#libs/cache';
import { JobQueue } from '#libs/jobs';
import { createContext, runWithContext } from '#libs/logging';
import { JobBrowser } from '../../libs/jobs/src/job-browser.js';
import { type CacheApp, createDatabase, startCacheApp } from '../cache/support/cache-app.js';
import { Articles, prefetchTags, Shelf } from './examples/cache-warming.js';
import { fencedBlocks } from './markdown.js';

const blocks = fencedBlocks(await readFile('docs/caching/warming.md', 'utf8'));
const source = await readFile('test/docs/examples/cache-warming.ts', 'utf8');

describe('the examples of learning and warming', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let app: CacheApp;

  beforeAll(async () => {
    database = await createDatabase();
    app = await startCacheApp({ databaseUrl: database.url, providers: [Articles, Shelf] });
  }, 60_000);

  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 600 && !(await isTrue()); tries += 1) await sleep(25);
    expect(await isTrue()).toBe(true);
  }

  it('are those that run here', () => {
    const examples = blocks.filter(({ language }) => language === 'ts');
    expect(examples).toHaveLength(2);
    for (const { text } of examples) expect(source).toContain(text);
  });

  it('warm at start what says so, and on schedules that the jobs show', async () => {
    const { loads } = app.get(Shelf);
    await until(() => ['EUR', 'USD', 'GBP'].every((currency) => loads.includes(currency)));
    expect(loads).not.toContain('s1');
    await until(async () => {
      const ids = (await app.get(JobBrowser).listSchedules()).map(({ id }) => id);
      return ids.includes('warm-cache.Articles.rateOf');
    });
    await app
      .get(JobQueue)
      .enqueue(warmCache, { reason: 'schedule', method: 'Articles.summaryOf' });
    await until(() => loads.includes('s1') && loads.includes('s2'));
  });

  it('warm what a request asks for', async () => {
    const block = blocks.find(({ language }) => language === 'json');
    const body = JSON.parse(block?.text ?? '') as { namespace: string; calls: string[][] };
    await app.get(JobQueue).enqueue(warmCache, { reason: 'request', ...body });
    const cache = app.get(Caches).find('articles');
    await until(() => cache?.statistics().items === 2);
  });

  it('load ahead what was read after it before', async () => {
    const tags = app.get(Caches).open<string>('tags', { ttlMs: 60_000, useTiers: false });
    const shelf = app.get(Shelf);
    prefetchTags(app.get(CacheLearning), tags, shelf);
    const read = (key: string) =>
      runWithContext(createContext({ userId: 'ada' }), () => tags.getOrSet(key, () => key));
    for (let visit = 0; visit < 4; visit += 1) {
      await read('tag one');
      await read('tag two');
      app.clock.advance(3_600_000);
      await sleep(30);
    }
    shelf.loads.length = 0;
    await read('tag one');
    await until(() => shelf.loads.includes('tag two'));
  });
});
