import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { ThrottledError } from '../errors/auth-overload.error.js';
import { FailureStore, type FailureWindow } from './failure.store.js';

/** A side whose failures are counted together, such as an account or an address. */
export interface ThrottleKey {
  readonly key: string;
  readonly limit: number;
  /** Whether one success forgives the failures before it. Default: false. */
  readonly forgiving?: boolean;
}

/** When attempts under way use up a limit, some of them will most likely succeed soon. */
const PENDING_RETRY_SECONDS = 1;

/**
 * Limits failures per key in fixed windows that begin with the first one, over all processes. An
 * attempt under way counts like a failure until it has succeeded, so that any number of simultaneous
 * attempts stays within the limit too; one whose process dies counts as a failure until the window
 * ends. Whoever never fails leaves no trace.
 *
 * Keys that have used up their limit are remembered here until their windows end, so that a flood of
 * attempts does not reach the database.
 */
@Injectable()
export class FailureThrottle {
  /** Ends of windows by key, in the order in which they became known. */
  private readonly refusedUntilMs = new Map<string, number>();

  constructor(
    private readonly store: FailureStore,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs an attempt that fails by returning undefined. One that throws counts as not made. It is told
   * how many failures each key had in its window before.
   * @throws ThrottledError when one of the keys has no failure left
   */
  async attempt<Result>(
    keys: readonly ThrottleKey[],
    run: (failuresBefore: ReadonlyMap<string, number>) => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    this.refuseKnown(keys);
    const names = keys.map(({ key }) => key);
    const windows = await this.reserve(keys, names);
    let outcome: 'failed' | 'succeeded' | 'broken' = 'broken';
    try {
      const result = await run(new Map(windows.map(({ key, failures }) => [key, failures])));
      outcome = result === undefined ? 'failed' : 'succeeded';
      return result;
    } finally {
      const forgiven = outcome === 'succeeded' ? keys.filter(({ forgiving }) => forgiving) : [];
      await this.store.settle(
        names,
        outcome === 'failed' ? 1 : 0,
        forgiven.map(({ key }) => key),
      );
    }
  }

  private async reserve(
    keys: readonly ThrottleKey[],
    names: readonly string[],
  ): Promise<readonly FailureWindow[]> {
    const { failureWindowSeconds } = this.settings.get(authSettings);
    const now = this.clock.now();
    const windows = await this.store.reserve(names, now, failureWindowSeconds);
    const limits = new Map(keys.map(({ key, limit }) => [key, limit]));
    const exceeded = windows.find(
      ({ key, failures, pending }) => failures + pending > (limits.get(key) ?? 0),
    );
    if (exceeded === undefined) return windows;
    await this.store.settle(names, 0, []);
    const { key, failures, resetsAt } = exceeded;
    if (failures < (limits.get(key) ?? 0)) throw new ThrottledError(PENDING_RETRY_SECONDS);
    this.remember(key, resetsAt.getTime());
    throw new ThrottledError(Math.ceil((resetsAt.getTime() - now.getTime()) / 1000));
  }

  private refuseKnown(keys: readonly ThrottleKey[]): void {
    const nowMs = this.clock.nowMs();
    for (const { key } of keys) {
      const untilMs = this.refusedUntilMs.get(key);
      if (untilMs === undefined) continue;
      if (untilMs > nowMs) throw new ThrottledError(Math.ceil((untilMs - nowMs) / 1000));
      this.refusedUntilMs.delete(key);
    }
  }

  private remember(key: string, untilMs: number): void {
    const { failureTableMaxEntries } = this.settings.get(authSettings);
    this.refusedUntilMs.delete(key);
    for (const oldest of this.refusedUntilMs.keys()) {
      if (this.refusedUntilMs.size < failureTableMaxEntries) break;
      this.refusedUntilMs.delete(oldest);
    }
    this.refusedUntilMs.set(key, untilMs);
  }
}
