import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheHub, Caches } from '#libs/cache';

/** What filling a first level, well beyond its bound, has cost. */
export interface FillReport {
  readonly boundBytes: number;
  /** The most that the cache said it holds, at any time. */
  readonly mostBytes: number;
  readonly heldBytes: number;
  readonly items: number;
  /** By how much the process is larger than before the first entry, once garbage is collected. */
  readonly rssGrowthBytes: number;
}

const [shape, ...numbers] = process.argv.slice(2);
const [bound, valueBytes, times] = numbers.map(Number) as [number, number, number];
const budgets = { application: bound, database: 0, api: 0, content: 0, session: 0 };
const hub = new CacheHub();
const cache = new Caches(hub, budgets).open('filled', { maxBytes: bound, maxItems: 10_000_000 });

const noiseBytes = Buffer.from(randomBytes(2 * 1024 * 1024).toString('hex'), 'latin1');

const ROW_BYTES = 1_024;

/** A flat text of its own memory, as one that was read from outside. */
function textOf(bytes: number, at: number): string {
  const from = (at * 7_919) % (noiseBytes.length - bytes);
  return noiseBytes.toString('latin1', from, from + bytes);
}

/** One text, or as many rows as have its size together. */
function valueOf(bytes: number, at: number): string | string[] {
  if (shape === 'text') return textOf(bytes, at);
  const rows = Math.floor(bytes / ROW_BYTES);
  return Array.from({ length: rows }, (_, row) => textOf(ROW_BYTES, at + row));
}

async function fill(rounds: number): Promise<number> {
  let most = 0;
  for (let at = 0; at < rounds; at += 1) {
    await cache.set(`key-${at}`, valueOf(valueBytes, at));
    if (at % 8 === 0) most = Math.max(most, cache.statistics(0).bytes);
  }
  return most;
}

/** What V8 has not collected yet, or keeps for what comes next, is not the cache's. */
async function settledRss(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await sleep(500);
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

// Code is compiled and pools are made before the process is measured.
await fill(Math.min(2_000, bound / valueBytes / 4));
await cache.clear();
const before = await settledRss();
const mostBytes = await fill(Math.ceil((bound / valueBytes) * times));
const { bytes, items } = cache.statistics(0);
const report: FillReport = {
  boundBytes: bound,
  mostBytes,
  heldBytes: bytes,
  items,
  rssGrowthBytes: (await settledRss()) - before,
};
process.stdout.write(JSON.stringify(report));
await hub.close();
