import { setTimeout as sleep } from 'node:timers/promises';
import { Caches } from '#libs/cache';
import { memoryPressure, MemoryWatch } from '#libs/resilience';
import { startTestApi } from '../../support/app.js';

const MIB = 1024 * 1024;
const ROOM_BYTES = 128 * MIB;
const CACHED_BYTES = 250 * MIB;
const TEXT_BYTES = 4_000;

/** What became of an API whose memory was made short, for the test that has started it. */
export interface MemoryReport {
  readonly limitBytes: number;
  /** Most resident memory while the cache was filled with twice what there was room for. */
  readonly cachedPeakBytes: number;
  readonly levelsWhileCaching: readonly string[];
  readonly ballastPeakBytes: number;
  readonly levelsWithBallast: readonly string[];
  readonly critical: { readonly batch: number; readonly batchCode: string; readonly read: number };
  readonly after: { readonly batch: number; readonly level: string; readonly budgetBytes: number };
  readonly metrics: readonly string[];
}

const api = await startTestApi({
  PANTHEON_ADMISSION_ENABLED: 'true',
  PANTHEON_MEMORY_INTERVAL_MS: '20',
  PANTHEON_MEMORY_COLLECT_EVERY_MS: '200',
  PANTHEON_CACHE_L1_MAX_BYTES: String(2_048 * MIB),
  PANTHEON_CACHE_RESTORE_EVERY_MS: '50',
});
const watch = api.app.get(MemoryWatch);
const caches = api.app.get(Caches);
const token = await api.login();
await api.request('POST', '/v1/sources', { token, body: { name: 'log', kind: 'log' } });
const limitBytes = process.memoryUsage.rss() + ROOM_BYTES;
api.platform.store.overrideAll({ 'memory.limitBytes': limitBytes });

let levels: string[] = [];
memoryPressure.subscribe(({ level }) => levels.push(level));
let peak = 0;
const note = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss());
};
const bulk = () =>
  api.request('POST', '/v1/sources/log/entries/bulk', {
    token,
    headers: { 'content-type': 'application/x-ndjson' },
    body: '{"text":"one"}\n',
  });

const cache = caches.open<string>('growing', {
  kind: 'content',
  maxItems: 1_000_000,
  maxBytes: 2_048 * MIB,
  useTiers: false,
});
for (let at = 0; at * TEXT_BYTES < CACHED_BYTES; at += 1) {
  await cache.getOrSet(`k${at}`, () => Buffer.alloc(TEXT_BYTES, `${at} `).toString('latin1'));
  // About 100 MB a second.
  if (at % 200 === 0) {
    note();
    await sleep(8);
  }
}
const cachedPeakBytes = peak;
const levelsWhileCaching = levels;

levels = [];
peak = 0;
const ballast: Buffer[] = [];
/** Also after the cache has given back what it can. */
async function staysCritical(): Promise<boolean> {
  for (let looks = 0; looks < 30; looks += 1) {
    if (watch.level !== 'critical') return false;
    await sleep(20);
  }
  return true;
}
// More than the limit would be the end of a process in a cgroup, so it stops short of it.
while (!(await staysCritical()) && process.memoryUsage.rss() < limitBytes) {
  ballast.push(Buffer.alloc(2 * MIB, 1));
  note();
  await sleep(10);
}
const refused = await bulk();
const read = await api.request('GET', '/v1/sources', { token });
const ballastPeakBytes = peak;
ballast.length = 0;
for (let waits = 0; waits < 1_000; waits += 1) {
  if (watch.level === 'normal' && caches.budgetOf('content') === caches.budgets.content) break;
  await sleep(50);
}
const exposed = await api.request('GET', '/metrics');
const report: MemoryReport = {
  limitBytes,
  cachedPeakBytes,
  levelsWhileCaching,
  ballastPeakBytes,
  levelsWithBallast: levels,
  critical: { batch: refused.status, batchCode: refused.body?.code, read: read.status },
  after: {
    batch: (await bulk()).status,
    level: watch.level,
    budgetBytes: caches.budgets.content - caches.budgetOf('content'),
  },
  metrics: String(exposed.body)
    .split('\n')
    .filter((line) => line.startsWith('memory_')),
};
process.send?.(report);
await api.close();
process.disconnect();
