import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { ThrottledError } from '../errors/auth-overload.error.js';

/** A side whose failures are counted together, such as an account or an address. */
export interface ThrottleKey {
  readonly key: string;
  readonly limit: number;
  /** Whether one success forgives the failures before it. Default: false. */
  readonly forgiving?: boolean;
}

interface Counter {
  failures: number;
  /** Attempts under way, which may fail yet. */
  pending: number;
  readonly resetsAtMs: number;
}

/** When attempts under way use up a limit, some of them will most likely succeed soon. */
const PENDING_RETRY_SECONDS = 1;

/**
 * Limits failures per key in fixed windows that begin with the first one. An attempt under way
 * counts like a failure until it has succeeded, so that any number of simultaneous attempts stays
 * within the limit too.
 *
 * The table is bounded: when it is full the oldest windows go first. It belongs to this process;
 * N processes allow up to N times the limit.
 */
@Injectable()
export class FailureThrottle {
  /** In order of creation, which is the order in which windows end. */
  private readonly counters = new Map<string, Counter>();

  constructor(
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs an attempt that fails by returning undefined. One that throws counts as not made.
   * @throws ThrottledError when one of the keys has no failure left
   */
  async attempt<Result>(
    keys: readonly ThrottleKey[],
    run: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    const counters = this.reserve(keys);
    let failed = false;
    try {
      const result = await run();
      failed = result === undefined;
      if (!failed) {
        for (const { key, forgiving } of keys) if (forgiving === true) this.counters.delete(key);
      }
      return result;
    } finally {
      this.settle(keys, counters, failed);
    }
  }

  private reserve(keys: readonly ThrottleKey[]): Counter[] {
    const now = this.clock.nowMs();
    const counters = keys.map(({ key, limit }) => {
      const counter = this.counters.get(key);
      if (counter === undefined || counter.resetsAtMs <= now) return undefined;
      const { failures, pending, resetsAtMs } = counter;
      if (failures >= limit) throw new ThrottledError(Math.ceil((resetsAtMs - now) / 1000));
      if (failures + pending >= limit) throw new ThrottledError(PENDING_RETRY_SECONDS);
      return counter;
    });
    return keys.map(({ key }, index) => {
      const counter = counters[index] ?? this.open(key, now);
      counter.pending += 1;
      return counter;
    });
  }

  private settle(
    keys: readonly ThrottleKey[],
    counters: readonly Counter[],
    failed: boolean,
  ): void {
    for (const [index, { key }] of keys.entries()) {
      const counter = counters[index];
      if (counter === undefined) continue;
      counter.pending -= 1;
      if (failed) counter.failures += 1;
      // Whoever never fails leaves no trace in the table.
      const isEmpty = counter.failures === 0 && counter.pending === 0;
      if (isEmpty && this.counters.get(key) === counter) this.counters.delete(key);
    }
  }

  private open(key: string, now: number): Counter {
    const { failureWindowSeconds, failureTableMaxEntries } = this.settings.get(authSettings);
    this.counters.delete(key);
    for (const [oldest, { resetsAtMs }] of this.counters) {
      if (resetsAtMs > now && this.counters.size < failureTableMaxEntries) break;
      this.counters.delete(oldest);
    }
    const counter = { failures: 0, pending: 0, resetsAtMs: now + failureWindowSeconds * 1000 };
    this.counters.set(key, counter);
    return counter;
  }
}
