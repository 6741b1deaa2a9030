import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import { defineCpuTask } from './cpu-task.js';
import type { OddJob } from './testing/odd-jobs.thread.js';
import { WorkerPool, type WorkReport } from './worker-pool.js';
import { workerSettings, type WorkerSettings } from './worker-pool.settings.js';

const oddJobs = defineCpuTask<OddJob, unknown>(
  'odd-jobs',
  () => new URL('testing/odd-jobs.thread.ts', import.meta.url),
);
const compute = (ms: number): OddJob => ({ kind: 'compute', ms });

let pool: WorkerPool;
let reports: WorkReport[];
afterEach(() => pool.close());

function open(limits: Partial<WorkerSettings> = {}): WorkerPool {
  const settings = { ...new SettingsStore([workerSettings]).get(workerSettings), ...limits };
  reports = [];
  pool = new WorkerPool({
    clock: new SystemClock(),
    limits: () => settings,
    onDone: (report) => reports.push(report),
  });
  return pool;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}

describe('a pool of threads', () => {
  it('has no thread until there is work, and none again some time after', async () => {
    open({ idleMs: 50 });
    pool.start();
    expect(pool.size).toBe(0);
    await expect(pool.run(oddJobs, compute(1))).resolves.toBe(1);
    expect(pool.size).toBe(1);
    await until(() => pool.size === 0);
    await expect(pool.run(oddJobs, compute(2))).resolves.toBe(2);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
  });

  it('grows with the load up to its bound, and shrinks to its minimum', async () => {
    open({ minThreads: 1, maxThreads: 3, idleMs: 100, growAfterMs: 20 });
    pool.start();
    const sizes: number[] = [];
    const stepTo = async (callers: number, rounds: number): Promise<void> => {
      const caller = async (): Promise<void> => {
        for (let round = 0; round < rounds; round += 1) {
          await pool.run(oddJobs, compute(15));
          sizes.push(pool.size);
        }
      };
      await Promise.all(Array.from({ length: callers }, caller));
    };
    // One caller at a time is served by one thread, however many calls it makes.
    await stepTo(1, 10);
    expect(Math.max(...sizes)).toBe(1);
    await stepTo(12, 5);
    expect(Math.max(...sizes)).toBe(3);
    await until(() => pool.size === 1);
    await sleep(150);
    expect(pool.size).toBe(1);
  });

  it('adds no thread for work that is done in no time', async () => {
    open({ maxThreads: 4, growAfterMs: 60_000 });
    await pool.run(oddJobs, compute(0));
    await Promise.all(Array.from({ length: 200 }, () => pool.run(oddJobs, compute(0))));
    expect(pool.size).toBe(1);
  });

  it('turns work away when too much waits', async () => {
    open({ maxThreads: 1, maxQueue: 2 });
    const work = Array.from({ length: 4 }, () => pool.run(oddJobs, compute(20)));
    expect(pool.queueLength).toBe(2);
    await expect(work[3]).rejects.toMatchObject({ code: 'WORKER_QUEUE_FULL', kind: 'unavailable' });
    await Promise.all(work.slice(0, 3));
    expect(pool.queueLength).toBe(0);
  });

  it.each([10, 0])('lets no more than %i wait while it may still grow', async (maxQueue) => {
    open({ maxThreads: 3, maxQueue, growAfterMs: 60_000 });
    await pool.run(oddJobs, compute(0));
    const work = Array.from({ length: 100 }, () => pool.run(oddJobs, compute(0)));
    const outcomes = Promise.allSettled(work);
    expect([pool.size, pool.busy, pool.queueLength]).toEqual([3, 3, maxQueue]);
    const done = (await outcomes).filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(3 + maxQueue);
    expect(reports.filter(({ outcome }) => outcome === 'refused')).toHaveLength(97 - maxQueue);
  });

  it('tells what work throws, and goes on with the same thread', async () => {
    open({ maxThreads: 1 });
    await expect(pool.run(oddJobs, { kind: 'throw' })).rejects.toMatchObject({
      code: 'WORKER_TASK_FAILED',
      message: '"odd-jobs" failed: too far',
      cause: { name: 'RangeError' },
    });
    await expect(pool.run(oddJobs, { kind: 'uncloneable' })).rejects.toMatchObject({
      code: 'WORKER_TASK_FAILED',
    });
    const uncloneable = { kind: 'compute', ms: () => 1 } as unknown as OddJob;
    await expect(pool.run(oddJobs, uncloneable)).rejects.toMatchObject({
      code: 'WORKER_TASK_FAILED',
    });
    await expect(pool.run(oddJobs, compute(1))).resolves.toBe(1);
    expect(pool.size).toBe(1);
  });

  it.each(['exit', 'swell'] as const)(
    'loses nothing but the work of a thread that ends by %s',
    async (kind) => {
      open({ maxThreads: 2, maxHeapMb: 32 });
      const work = [
        pool.run(oddJobs, compute(100)),
        pool.run(oddJobs, { kind }),
        ...Array.from({ length: 5 }, () => pool.run(oddJobs, compute(5))),
      ];
      const outcomes = await Promise.allSettled(work);
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
        true,
        false,
        ...Array<boolean>(5).fill(true),
      ]);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'WORKER_CRASHED' } });
    },
  );

  it('fails work whose module cannot be loaded', async () => {
    open();
    const missing = defineCpuTask('missing', () => new URL('file:///no/such.js'));
    await expect(pool.run(missing, 1)).rejects.toMatchObject({ code: 'WORKER_TASK_FAILED' });
  });

  it('stops work that nobody waits for, whether it has begun or not', async () => {
    open({ maxThreads: 1 });
    const callers = [new AbortController(), new AbortController()];
    const [begun, waiting] = callers.map(({ signal }) =>
      pool.run(oddJobs, compute(60_000), { signal }),
    );
    const next = pool.run(oddJobs, compute(1));
    callers[1]?.abort(new Error('left the queue'));
    await expect(waiting).rejects.toThrow('left the queue');
    callers[0]?.abort(new Error('left the thread'));
    await expect(begun).rejects.toThrow('left the thread');
    await expect(next).resolves.toBe(1);
  });

  it('stops work that takes too long', async () => {
    open({ maxThreads: 1, taskTimeoutMs: 100 });
    const long = pool.run(oddJobs, compute(60_000));
    await expect(long).rejects.toMatchObject({ code: 'WORKER_TASK_TIMED_OUT', kind: 'timeout' });
    await expect(pool.run(oddJobs, compute(1), { timeoutMs: 30_000 })).resolves.toBe(1);
  });

  it('hands buffers over without copying them', async () => {
    open();
    const buffer = Uint8Array.of(1, 2, 3).buffer;
    const output = await pool.run(oddJobs, { kind: 'double', buffer }, { transfer: [buffer] });
    expect(buffer.byteLength).toBe(0);
    expect([...new Uint8Array(output as ArrayBuffer)]).toEqual([2, 4, 6]);
  });

  it('fails what is not finished when it is closed, twice without harm, and takes no more', async () => {
    open({ maxThreads: 1 });
    const work = [pool.run(oddJobs, compute(60_000)), pool.run(oddJobs, compute(1))];
    const outcomes = Promise.allSettled(work);
    await Promise.all([pool.close(), pool.close()]);
    await pool.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'WORKERS_CLOSED' } });
    }
    expect(pool.size).toBe(0);
    await expect(pool.run(oddJobs, compute(1))).rejects.toMatchObject({ code: 'WORKERS_CLOSED' });
  });

  it('lets the event loop turn meanwhile', async () => {
    open({ maxThreads: 1 });
    await pool.run(oddJobs, compute(1));
    // Only blocks of our own count: the thread shares the CPUs with other programs.
    const cpuBefore = performance.eventLoopUtilization();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await pool.run(oddJobs, compute(500));
    delay.disable();
    expect(performance.eventLoopUtilization(cpuBefore).utilization).toBeLessThan(0.3);
    expect(delay.percentile(50) / 1e6).toBeLessThan(20);
  });
});
