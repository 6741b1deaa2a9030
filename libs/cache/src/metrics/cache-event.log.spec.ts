import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { CacheUnavailableError } from '../errors/cache-unavailable.error.js';
import { cacheFault, cacheState } from '../statistics/cache.channels.js';
import { CacheEventLog } from './cache-event.log.js';

describe('CacheEventLog', () => {
  let clock: ManualClock;
  let destination: MemoryLogDestination;
  let log: CacheEventLog;

  beforeEach(() => {
    clock = new ManualClock();
    destination = new MemoryLogDestination();
    log = new CacheEventLog(new RootLogger({ service: 'test', destination }), clock);
    log.onModuleInit();
    log.onModuleInit();
  });

  afterEach(() => log.onApplicationShutdown());

  const fail = (part: string, operation: string): void => {
    const error = new CacheUnavailableError(part, 'no answer within 200 ms');
    cacheFault.publish(() => ({ part, operation, error }));
  };

  it('writes the first fault of a kind, and the number of those that it kept back', () => {
    for (let at = 0; at < 1_000; at += 1) fail('redis', 'read');
    fail('redis', 'write');
    expect(destination.records).toMatchObject([
      { level: 'warn', part: 'redis', operation: 'read' },
      { level: 'warn', part: 'redis', operation: 'write' },
    ]);
    clock.advance(30_000);
    fail('redis', 'read');
    expect(destination.records.at(-1)).toMatchObject({ operation: 'read', suppressed: 999 });
  });

  it('remembers a bounded number of kinds', () => {
    for (let at = 0; at < 1_000; at += 1) fail(`part-${at}`, 'read');
    expect(destination.records).toHaveLength(1_000);
    fail('part-999', 'read');
    expect(destination.records).toHaveLength(1_000);
    fail('part-0', 'read');
    expect(destination.records).toHaveLength(1_001);
  });

  it('writes when a level goes and comes back, and when invalidations cannot arrive', () => {
    for (const state of ['open', 'half-open', 'closed', 'out-of-sync', 'in-sync'] as const) {
      cacheState.publish(() => ({ part: 'redis', state }));
    }
    expect(destination.records.map(({ level }) => level)).toEqual(['warn', 'info', 'warn']);
  });

  it('says once that a part is away, however often it was asked in vain', () => {
    for (let probe = 0; probe < 10; probe += 1) {
      for (const state of ['open', 'half-open'] as const) {
        cacheState.publish(() => ({ part: 'redis', state }));
      }
    }
    cacheState.publish(() => ({ part: 'redis', state: 'closed' }));
    cacheState.publish(() => ({ part: 'redis', state: 'open' }));
    expect(destination.records.map(({ level }) => level)).toEqual(['warn', 'info', 'warn']);
  });

  it('is silent after it was closed, also twice', () => {
    log.onApplicationShutdown();
    log.onApplicationShutdown();
    fail('redis', 'read');
    expect(destination.records).toEqual([]);
  });
});
