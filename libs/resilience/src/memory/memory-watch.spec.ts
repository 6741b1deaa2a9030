import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { CgroupReader } from './cgroup-memory.js';
import { memoryPressure, type MemoryPressureEvent } from './memory-pressure.js';
import { memorySettings } from './memory.settings.js';
import { MemoryWatch } from './memory-watch.js';

const MIB = 1024 * 1024;
const LIMIT = 100 * MIB;

let clock: ManualClock;
let used: { rss: number; heap: number };
let events: MemoryPressureEvent[];
let watch: MemoryWatch;
let unsubscribe: () => void;

beforeEach(() => {
  clock = new ManualClock();
  used = { rss: 0, heap: 0 };
  events = [];
  unsubscribe = memoryPressure.subscribe((event) => events.push(event));
  watch = new MemoryWatch(
    new SettingsStore([memorySettings], { overrides: { memory: { limitBytes: LIMIT } } }),
    clock,
    new RootLogger({ service: 'test', destination: new MemoryLogDestination() }),
    {
      rssBytes: () => used.rss,
      heap: () => ({ usedBytes: used.heap, limitBytes: LIMIT }),
      totalBytes: 10 * LIMIT,
      cgroups: () => CgroupReader.find(0, { membership: '/nowhere', mount: '/nowhere' }),
    },
  );
});
afterEach(() => unsubscribe());

async function at(ratio: number): Promise<void> {
  used.rss = ratio * LIMIT;
  await watch.check();
}

const levels = (): string[] => events.map(({ previous, level }) => `${previous} ${level}`);

describe('the watch over memory', () => {
  it('tells each change of level once, with the bound that is nearest', async () => {
    for (const ratio of [0.5, 0.84, 0.86, 0.95, 0.95, 0.83, 0.5]) await at(ratio);
    expect(levels()).toEqual(['normal shed', 'shed critical', 'critical shed', 'shed normal']);
    expect(events[0]).toMatchObject({
      source: 'setting',
      limitBytes: LIMIT,
      usedBytes: 0.86 * LIMIT,
    });
    expect(watch.level).toBe('normal');
    expect(watch.state.entered).toEqual({ normal: 1, shed: 2, critical: 1 });
  });

  it('collects garbage when a level rises, and asks for more when that has not helped', async () => {
    await at(0.9);
    expect(watch.state.collections.count).toBe(1);
    await at(0.9);
    expect(levels()).toEqual(['normal shed']);
    clock.advance(5_000);
    await at(0.9);
    expect(levels()).toEqual(['normal shed', 'shed shed']);
    expect(watch.state.collections.count).toBe(2);
  });

  it('owes a collection for what was given back soon after the last one', async () => {
    await at(0.9);
    await at(0.95);
    expect(watch.state.collections.count).toBe(1);
    clock.advance(5_000);
    await at(0.95);
    expect(watch.state.collections.count).toBe(2);
    expect(levels()).toEqual(['normal shed', 'shed critical']);
  });

  it('does nothing more while there is no pressure', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      clock.advance(10_000);
      await at(0.8);
    }
    expect(events).toEqual([]);
    expect(watch.state.collections.count).toBe(0);
  });

  it('counts what is alive in the heap, not the garbage', async () => {
    used.heap = 0.95 * LIMIT;
    const alive = Object.defineProperty({}, 'rss', { value: 0 });
    Object.defineProperty(alive, 'heap', {
      get: () => (watch.state.collections.count === 0 ? 0.95 * LIMIT : 0.3 * LIMIT),
    });
    used = alive as typeof used;
    await watch.check();
    expect(watch.state.collections.count).toBe(1);
    expect(events).toEqual([]);
    used = { rss: 0, heap: 0.95 * LIMIT };
    await watch.check();
    expect(events).toEqual([]);
    clock.advance(5_000);
    await watch.check();
    expect(levels()).toEqual(['normal critical']);
    expect(events[0]).toMatchObject({ source: 'heap' });
  });

  it.each([
    ['resident', () => (used.rss = 0.9 * LIMIT)],
    ['of the heap', () => (used.heap = 0.9 * LIMIT)],
  ])('asks for more at each collection while what is short is memory %s', async (_, fill) => {
    fill();
    await watch.check();
    expect(levels()).toEqual(['normal shed']);
    for (let turn = 1; turn <= 3; turn += 1) {
      clock.advance(4_999);
      await watch.check();
      expect(levels()).toHaveLength(turn);
      clock.advance(1);
      await watch.check();
      expect(levels()).toEqual(['normal shed', ...Array<string>(turn).fill('shed shed')]);
      expect(watch.state.collections.count).toBe(turn + 1);
    }
    used = { rss: 0.9 * LIMIT, heap: 0.9 * LIMIT };
    clock.advance(5_000);
    await watch.check();
    expect(levels()).toHaveLength(5);
    used = { rss: 0, heap: 0 };
    clock.advance(5_000);
    await watch.check();
    expect(levels().at(-1)).toBe('shed normal');
  });
});
