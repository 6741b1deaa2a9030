import { describe, expect, it } from '@jest/globals';
import type { AdmissionSettings } from './admission.settings.js';
import { RouteLatency } from './route-latency.js';
import {
  type Arrival,
  poisson,
  type SimulatedOutcome,
  SimulatedServer,
  type SimulatedWork,
} from './testing/simulated-server.js';
import { Waiter } from './waiter.js';

const CPU: SimulatedWork = { cpuMs: 4 };
const IO: SimulatedWork = { cpuMs: 0.1, ioMs: 20, ioSlots: 20 };
const CAPACITY = new Map<SimulatedWork, number>([
  [CPU, 1_000 / 4.05],
  [IO, 1_000],
]);
/** In which the limit and the overload are found out. */
const SETTLE_MS = 500;
const RUN_MS = 3_000;
const WORTH_MS = 500;

function percentile(share: number, outcomes: readonly SimulatedOutcome[]): number {
  const sorted = outcomes.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}

const admitted = (outcomes: readonly SimulatedOutcome[]) =>
  outcomes.filter(({ refused }) => refused === undefined);
const refused = (outcomes: readonly SimulatedOutcome[]) =>
  outcomes.filter((outcome) => outcome.refused !== undefined);
const ofClass = (outcomes: readonly SimulatedOutcome[], priority: Arrival['priority']) =>
  outcomes.filter((outcome) => outcome.priority === priority);
const inOrder = (...lists: Arrival[][]) => lists.flat().toSorted((a, b) => a.atMs - b.atMs);

/** Loads a server with a multiple of what it can do. @returns what came after it had settled */
function load(server: SimulatedServer, work: SimulatedWork, factor: number, seed = 7) {
  const fromMs = server.nowMs;
  const perSecond = (CAPACITY.get(work) ?? 0) * factor;
  const arrivals = poisson(perSecond, RUN_MS, { work, priority: 'interactive' }, { seed, fromMs });
  return [...server.run(arrivals)].filter(({ atMs }) => atMs >= fromMs + SETTLE_MS);
}

const goodput = (outcomes: readonly SimulatedOutcome[], work: SimulatedWork): number =>
  admitted(outcomes).filter(({ ms }) => ms <= WORTH_MS).length /
  ((RUN_MS - SETTLE_MS) / 1_000) /
  (CAPACITY.get(work) ?? 0);

describe.each([
  ['a handler that computes for 4 ms', CPU],
  ['a handler that waits for 20 ms as one of twenty', IO],
])('admission in front of %s', (_, work) => {
  it.each([2, 3])('keeps goodput and latency at %d times the capacity', (factor) => {
    // One run may have bad luck; most may not.
    const runs = [7, 8, 9, 10, 11].map((seed) => {
      const server = new SimulatedServer();
      const unloaded = percentile(0.95, load(server, work, 0.1, seed));
      const outcomes = load(server, work, factor, seed);
      return {
        goodput: goodput(outcomes, work),
        slowdown: percentile(0.95, admitted(outcomes)) / unloaded,
        refusalMs: percentile(0.95, refused(outcomes)),
      };
    });
    const middle = (of: keyof (typeof runs)[number]) =>
      runs.map((run) => run[of]).toSorted((a, b) => a - b)[2];
    expect(middle('goodput')).toBeGreaterThan(0.9);
    expect(middle('slowdown')).toBeLessThan(2);
    expect(middle('refusalMs')).toBeLessThan(30);
  });

  it('is what keeps them', () => {
    const server = new SimulatedServer({}, false);
    expect(goodput(load(server, work, 3), work)).toBeLessThan(0.3);
  });

  it('refuses hardly anything up to the capacity', () => {
    const server = new SimulatedServer();
    for (const [factor, part] of [
      [0.3, 0],
      [0.7, 0.01],
      [1, 0.15],
    ] as const) {
      const outcomes = load(server, work, factor);
      expect(refused(outcomes).length / outcomes.length).toBeLessThanOrEqual(part);
    }
  });

  it('lets everybody in again when the overload is over', () => {
    const server = new SimulatedServer();
    load(server, work, 3);
    expect(refused(load(server, work, 0.5))).toEqual([]);
  });

  it('has a burst wait instead of refusing it', () => {
    const server = new SimulatedServer();
    load(server, work, 0.3);
    const atMs = server.nowMs + 100;
    const burst = Array.from({ length: 100 }, () => ({
      atMs,
      work,
      priority: 'interactive' as const,
    }));
    expect(refused(server.run(burst))).toEqual([]);
  });
});

describe('admission', () => {
  const at = (
    perSecond: number,
    priority: Arrival['priority'],
    extra: Partial<Arrival> & { seed?: number } = {},
  ) => poisson(perSecond, RUN_MS, { work: CPU, priority, ...extra }, { seed: extra.seed ?? 3 });

  it('refuses nothing critical, and lets it pass those who wait', () => {
    const health = { work: { cpuMs: 0.2 }, seed: 5 };
    const outcomes = new SimulatedServer().run(
      inOrder(at(750, 'interactive'), at(50, 'critical', health)),
    );
    expect(refused(ofClass(outcomes, 'critical'))).toEqual([]);
    expect(percentile(0.95, ofClass(outcomes, 'critical'))).toBeLessThan(6);
  });

  it('refuses what can wait before what somebody waits for', () => {
    const outcomes = new SimulatedServer().run(
      inOrder(at(120, 'interactive'), at(500, 'batch', { seed: 5 })),
    );
    expect(refused(ofClass(outcomes, 'interactive'))).toEqual([]);
    expect(percentile(0.95, ofClass(outcomes, 'interactive'))).toBeLessThan(18);
    const batch = ofClass(outcomes, 'batch');
    expect(refused(batch).length).toBeGreaterThan(batch.length / 2);
    expect(admitted(batch).length).toBeGreaterThan(RUN_MS * 0.08);
  });

  it('does not begin what nobody waits for any more', () => {
    const outcomes = new SimulatedServer({ overloadedWaitRatio: 10 }).run(
      at(750, 'interactive', { timeoutMs: 20 }),
    );
    expect(new Set(refused(outcomes).map((outcome) => outcome.refused))).toContain('deadline');
    // 20 ms in line, 4 ms of work, and up to 4 ms in which the loop was not there to see it come.
    for (const { ms } of admitted(outcomes)) expect(ms).toBeLessThan(30);
  });

  it('refuses at once what would be served too late', () => {
    const server = new SimulatedServer();
    const usual = load(server, CPU, 0.5);
    expect(refused(usual)).toEqual([]);
    const atMs = server.nowMs + 1;
    const outcomes = server.run([
      { atMs, work: CPU, priority: 'interactive' },
      // It comes while the first is served, and the usual 4 ms are more than it has.
      { atMs: atMs + 0.5, work: CPU, priority: 'interactive', timeoutMs: 2 },
    ]);
    expect(
      outcomes.map((outcome) => outcome.refused ?? 'none').toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['deadline', 'none']);
  });

  it('pushes nobody out of a full line for somebody who is refused himself', () => {
    const server = new SimulatedServer({ maxQueued: 2 });
    load(server, CPU, 3);
    const { control, nowMs } = server;
    expect(control.interactive.detector.isOverloaded).toBe(true);
    const causes: string[] = [];
    class Customer extends Waiter {
      proceed(): void {}
      refuse(cause: string): void {
        causes.push(cause);
      }
    }
    const come = (deadlineMs: number) =>
      control.wait(new Customer({ lane: control.interactive, latency }, nowMs, deadlineMs));
    const latency = new RouteLatency();
    const patient = Number.POSITIVE_INFINITY;
    expect([come(patient), come(patient), come(nowMs)]).toEqual([undefined, undefined, 'deadline']);
    expect(causes).toEqual([]);
    expect(come(patient)).toBeUndefined();
    expect(causes).toEqual(['queue-full']);
  });

  it('puts off what can wait while memory runs short', () => {
    const server = new SimulatedServer();
    server.control.isMemoryCritical = true;
    const outcomes = server.run(inOrder(at(20, 'interactive'), at(20, 'batch', { seed: 5 })));
    expect(refused(ofClass(outcomes, 'interactive'))).toEqual([]);
    expect(ofClass(outcomes, 'batch').every((outcome) => outcome.refused === 'memory')).toBe(true);
    server.control.isMemoryCritical = false;
    const fromMs = server.nowMs;
    const later = poisson(20, RUN_MS, { work: CPU, priority: 'batch' }, { fromMs });
    expect(refused(server.run(later))).toEqual([]);
  });

  it.each<[string, Partial<AdmissionSettings>]>([
    ['the queue of a class', { maxQueued: 5, maxQueueWaitMs: 60_000 }],
    ['what is critical', { maxCritical: 5 }],
  ])('bounds %s', (_, settings) => {
    const server = new SimulatedServer({ minLimit: 1, initialLimit: 1, maxLimit: 1, ...settings });
    const priority = settings.maxCritical === undefined ? 'interactive' : 'critical';
    const work = { cpuMs: 0.1, ioMs: 50 };
    const burst = Array.from({ length: 20 }, () => ({ atMs: 1, work, priority }) as const);
    const causes = refused(server.run(burst)).map((outcome) => outcome.refused);
    expect(causes.length).toBeGreaterThan(10);
    expect(new Set(causes)).toEqual(new Set(['queue-full']));
  });

  it('counts everybody off again', () => {
    const server = new SimulatedServer();
    server.run(inOrder(at(750, 'interactive'), at(100, 'batch', { seed: 2 })));
    expect(server.control).toMatchObject({ inFlight: 0, waiting: 0 });
    expect(server.control.batch.inFlight).toBe(0);
    server.control.close();
    server.control.close();
  });
});
