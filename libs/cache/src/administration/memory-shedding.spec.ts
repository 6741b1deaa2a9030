import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { memoryPressure, type MemoryPressureLevel } from '#libs/resilience';
import { cacheSettings } from '../cache.settings.js';
import { CacheHub } from '../engine/cache-hub.js';
import { CACHE_KINDS, type CacheKind } from '../managers/cache-kind.js';
import { Caches } from '../managers/caches.js';
import { MemoryShedding } from './memory-shedding.js';

const BUDGET = 1_000_000;
const hub = new CacheHub();
let caches: Caches;
let shedding: MemoryShedding;

function pressure(level: MemoryPressureLevel, previous: MemoryPressureLevel): void {
  memoryPressure.publish(() => ({
    level,
    previous,
    source: 'setting',
    usedBytes: 0,
    limitBytes: 0,
  }));
}

const held = (): number => CACHE_KINDS.reduce((sum, kind) => sum + caches.bytesOf(kind), 0);

async function fill(): Promise<void> {
  const cache = caches.open<string>('content', { kind: 'content', maxBytes: BUDGET });
  for (let at = 0; at < 400; at += 1) await cache.set(`k${at}`, 'x'.repeat(1_000));
}

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const budgets = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, BUDGET]));
  caches = new Caches(hub, budgets as Record<CacheKind, number>);
  shedding = new MemoryShedding(caches, new SettingsStore([cacheSettings]));
  shedding.onModuleInit();
  await fill();
});
afterEach(async () => {
  shedding.onApplicationShutdown();
  caches.close('content');
  jest.useRealTimers();
  await hub.clear();
});

describe('the first level under pressure on the memory', () => {
  it('gives half of what it holds back at once, and half of the rest when that did not help', () => {
    const before = held();
    pressure('shed', 'normal');
    expect(held()).toBeLessThanOrEqual(before / 2);
    expect(held()).toBeGreaterThan(before * 0.4);
    pressure('shed', 'shed');
    expect(held()).toBeLessThanOrEqual(before / 4);
  });

  it('gives nearly all back when it is critical', () => {
    const before = held();
    pressure('critical', 'normal');
    expect(held()).toBeLessThanOrEqual(before / 10);
    const after = held();
    pressure('shed', 'critical');
    expect(held()).toBe(after);
  });

  it('stays small until the pressure ends, and grows again step by step then', async () => {
    pressure('critical', 'normal');
    const small = caches.budgetOf('content');
    await fill();
    expect(held()).toBeLessThanOrEqual(small);
    jest.advanceTimersByTime(60_000);
    expect(caches.budgetOf('content')).toBe(small);
    pressure('normal', 'critical');
    jest.advanceTimersByTime(5_000);
    expect(caches.budgetOf('content')).toBe(Math.floor(small * 1.5));
    jest.advanceTimersByTime(100_000);
    expect(CACHE_KINDS.map((kind) => caches.budgetOf(kind))).toEqual(CACHE_KINDS.map(() => BUDGET));
    expect(jest.getTimerCount()).toBe(0);
  });
});
