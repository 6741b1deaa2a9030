/**
 * `npm run bench:warmup`: what the first 1,000 requests after a restart find in memory, without
 * warming and with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Cache, Cacheable, CacheHub, WarmUp } from '#libs/cache';
import { SystemClock } from '#libs/core';
import { MemoryLogDestination, NestLoggerService, RootLogger } from '#libs/logging';
import { createDataSource, persistenceSettings } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { databaseParts } from '../apps/shared/src/database-parts.js';
import { loadSettings } from '../apps/shared/src/load-settings.js';
import { PlatformModule } from '../apps/shared/src/platform.module.js';
import { openBenchDatabase } from './support/bench-database.js';
import { percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { TraceRandom, Zipf } from './traces/random.js';

const HELP = `The first 1,000 requests after a restart, without warming and with it.

  npm run bench:warmup              print a table
  npm run bench:warmup -- --json    one JSON document

An application of the platform reads articles from PostgreSQL through @Cacheable, Zipf 1.0 of 5,000.
It serves 20,000 requests, ends, and starts anew: the kind with @WarmUp({ topN: 1000 }) has loaded
again what was read most. "shared level" is the same without @WarmUp, with entries in PostgreSQL too.`;

const ARTICLES = 5_000;
const REQUESTS_BEFORE = 20_000;
const REQUESTS_AFTER = 1_000;
const NAMESPACE = 'bench.articles';
const TTL_MS = 3_600_000;

interface Articles {
  find(id: number): Promise<string>;
}

type Kind = 'not warmed' | 'shared level' | 'warmed';

async function load(dataSource: DataSource, id: number): Promise<string> {
  const [row] = await dataSource.query<{ body: string }[]>(
    'SELECT body FROM bench_article WHERE id = $1',
    [id],
  );
  return row?.body ?? '';
}

const OPTIONS = { namespace: NAMESPACE, key: 'article:{id}', ttlMs: TTL_MS } as const;

@Injectable()
class PlainArticles implements Articles {
  constructor(private readonly dataSource: DataSource) {}

  @Cacheable({ ...OPTIONS, useTiers: false })
  async find(id: number): Promise<string> {
    return load(this.dataSource, id);
  }
}

@Injectable()
class SharedArticles implements Articles {
  constructor(private readonly dataSource: DataSource) {}

  @Cacheable(OPTIONS)
  async find(id: number): Promise<string> {
    return load(this.dataSource, id);
  }
}

@Injectable()
class WarmedArticles implements Articles {
  constructor(private readonly dataSource: DataSource) {}

  @Cacheable({ ...OPTIONS, useTiers: false })
  @WarmUp({ topN: 1_000, concurrency: 8 })
  async find(id: number): Promise<string> {
    return load(this.dataSource, id);
  }
}

const PROVIDERS = {
  'not warmed': PlainArticles,
  'shared level': SharedArticles,
  warmed: WarmedArticles,
} as const;

/** The application, started as a worker is, over a database that outlives it. */
async function start(kind: Kind, url: string) {
  const { store } = await loadSettings({ DATABASE_URL: url });
  const dataSource = createDataSource(url, store.get(persistenceSettings), databaseParts);
  await dataSource.initialize();
  const platform = {
    clock: new SystemClock(),
    store,
    log: new RootLogger({ service: 'bench', destination: new MemoryLogDestination() }),
    watcher: null,
    dataSource,
    databaseUrl: url,
    embedded: false,
    close: () => Promise.resolve(),
  };
  @Module({
    imports: [PlatformModule.forRoot(platform, { workers: true, startDelayMs: 0 })],
    providers: [PROVIDERS[kind]],
  })
  class BenchModule {}
  const app = await NestFactory.createApplicationContext(BenchModule, {
    logger: new NestLoggerService(platform.log),
  });
  return {
    articles: app.get<Articles>(PROVIDERS[kind]),
    cache: app.get(CacheHub).cache(NAMESPACE),
    dataSource,
    async stop() {
      await app.close();
      if (dataSource.isInitialized) await dataSource.destroy();
    },
  };
}

/** Waits until warming has brought in entries and no more come. */
async function untilWarm(cache: Cache): Promise<void> {
  const itemsNow = (): number => cache.statistics(0).items;
  for (let items = 0, tries = 0; tries < 120; tries += 1) {
    await sleep(500);
    if (items > 0 && items === itemsNow()) return;
    items = itemsNow();
  }
  throw new Error('Nothing was warmed within a minute.');
}

async function measure(kind: Kind, url: string) {
  const random = new TraceRandom(91);
  const article = new Zipf(random, ARTICLES, 1);
  // Popular ones lie anywhere.
  const next = (): number => 1 + ((article.draw() * 2_711) % ARTICLES);
  const before = await start(kind, url);
  for (let request = 0; request < REQUESTS_BEFORE; request += 1) await before.articles.find(next());
  await before.stop();
  const after = await start(kind, url);
  if (kind === 'warmed') await untilWarm(after.cache);
  const { l1Hits } = after.cache.statistics(0);
  const times: number[] = [];
  for (let request = 0; request < REQUESTS_AFTER; request += 1) {
    const id = next();
    const sentMs = performance.now();
    await after.articles.find(id);
    times.push(performance.now() - sentMs);
  }
  const hits = after.cache.statistics(0).l1Hits - l1Hits;
  await after.stop();
  const { p50, p95 } = percentilesOf(times);
  return {
    kind,
    'hits in memory': hits / REQUESTS_AFTER,
    'p50, ms': p50,
    'p95, ms': p95,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const rows = [];
  for (const kind of ['not warmed', 'shared level', 'warmed'] as const) {
    const database = await openBenchDatabase(databaseParts);
    try {
      await database.dataSource.query(
        `CREATE TABLE bench_article AS
         SELECT id, repeat(md5(id::text), 32) AS body FROM generate_series(1, ${ARTICLES}) AS id`,
      );
      await database.dataSource.query('ALTER TABLE bench_article ADD PRIMARY KEY (id)');
      rows.push(await measure(kind, database.url));
    } finally {
      await database.close();
    }
  }
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, requests: REQUESTS_AFTER, rows }));
    return;
  }
  console.log(`Node ${process.version}: the first ${REQUESTS_AFTER} requests after a restart\n`);
  printTable(rows);
}

await main();
