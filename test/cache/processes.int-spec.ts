import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneTemplate, testRedisUrl } from '../support/database.js';
import { createCacheDatabase } from './support/cache-database.js';
import type { InterleavingReport } from './support/interleavings.js';
import { NodeProcess } from './support/node-process.js';

const NODES = 4;
/** Reads over all nodes; `PANTHEON_TEST_INTERLEAVINGS=100000` for the full run. */
const INTERLEAVINGS = Number(process.env['PANTHEON_TEST_INTERLEAVINGS'] ?? 2_000);
const LEASE_MS = 2_000;
const TIMEOUT_MS = 60_000 + INTERLEAVINGS * 10;

describe.each(['redis', 'postgres'] as const)('four processes with the levels of %s', (kind) => {
  let database: Awaited<ReturnType<typeof cloneTemplate>>;
  let redis: Redis;
  let prefix: string;
  let nodes: NodeProcess[] = [];

  beforeAll(async () => {
    database = await createCacheDatabase();
    redis = new Redis(testRedisUrl());
    prefix = `processes-${process.pid}-${Date.now()}:`;
    const common = { kind, prefix, redisUrl: testRedisUrl(), databaseUrl: database.url };
    nodes = await Promise.all(
      Array.from({ length: NODES }, (_, index) =>
        NodeProcess.start({ ...common, leaseMs: LEASE_MS, index }),
      ),
    );
  }, 60_000);

  afterAll(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    await redis.quit();
    await database.drop();
  });

  it(
    'read nothing older than what was acknowledged, at random',
    async () => {
      const seed = Number(process.env['PANTHEON_TEST_SEED'] ?? Date.now() % 1_000_000);
      const command = {
        kind: 'interleave',
        reads: INTERLEAVINGS / NODES,
        seed,
        nodes: NODES,
      } as const;
      const startedMs = performance.now();
      const reports = await Promise.all(nodes.map((node) => node.ask<InterleavingReport>(command)));
      const sum = (of: (report: InterleavingReport) => number): number =>
        reports.reduce((total, report) => total + of(report), 0);
      if (process.env['PANTHEON_TEST_INTERLEAVINGS'] !== undefined) {
        const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
        const counts = Object.fromEntries(
          (['reads', 'hits', 'acknowledged', 'unacknowledged', 'discarded'] as const).map(
            (name) => [name, sum((r) => r[name])],
          ),
        );
        process.stderr.write(`${kind}, seed ${seed}, ${seconds} s: ${JSON.stringify(counts)}\n`);
      }
      expect({ seed, stale: reports.flatMap((report) => report.stale) }).toEqual({
        seed,
        stale: [],
      });
      expect(sum((report) => report.reads)).toBeGreaterThanOrEqual(INTERLEAVINGS);
      // It would prove nothing if nothing was cached, raced or acknowledged.
      expect(sum((report) => report.hits)).toBeGreaterThan(INTERLEAVINGS / 50);
      expect(sum((report) => report.discarded)).toBeGreaterThan(0);
      expect(sum((report) => report.acknowledged)).toBeGreaterThan(INTERLEAVINGS / 10);
      expect(sum((report) => report.unacknowledged)).toBeLessThan(INTERLEAVINGS / 100);
    },
    TIMEOUT_MS,
  );

  it(
    'load once for 10,000 concurrent misses',
    async () => {
      const command = { kind: 'miss', callers: 10_000 / NODES, key: 'cold', loadMs: 100 } as const;
      const values = await Promise.all(nodes.map((node) => node.ask<string[]>(command)));
      expect(new Set(values.flat()).size).toBe(1);
      expect(await redis.get(`${prefix}loads:cold`)).toBe('1');
    },
    TIMEOUT_MS,
  );

  it(
    'hand a load over when its loader outlives the lease, or its process has died',
    async () => {
      const [first, second] = nodes as [NodeProcess, NodeProcess, ...NodeProcess[]];
      const stuck = first.ask({ kind: 'miss', callers: 1, key: 'stuck', loadMs: 60_000 });
      stuck.catch(() => undefined);
      while ((await redis.get(`${prefix}loads:stuck`)) !== '1') await sleep(5);
      const startedMs = performance.now();
      const taken = await second.ask({ kind: 'miss', callers: 10, key: 'stuck', loadMs: 1 });
      expect(taken).toEqual(['by 1']);
      expect(performance.now() - startedMs).toBeLessThan(LEASE_MS + 1_000);
      expect(await redis.get(`${prefix}loads:stuck`)).toBe('2');
    },
    TIMEOUT_MS,
  );
});
