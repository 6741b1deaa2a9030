import { Clock } from '#libs/core';
import type { CacheEntry } from '../entry/cache-entry.js';
import {
  CacheTier,
  DEFAULT_FENCE_MS,
  type TierRead,
  type TierUsage,
  type TierWrite,
} from './cache-tier.js';
import { newFence } from './fence.js';

export interface MemoryTierOptions {
  readonly clock: Clock;
  /** Default `memory`. */
  readonly name?: string;
  readonly fenceMs?: number;
  /** The oldest entries leave beyond this number. Default 10,000. */
  readonly maxItems?: number;
}

/**
 * A level in the memory of the process, which several caches of the process may share. For tests
 * and for tools of one process; the first level of a cache is `l1/`, not this.
 */
export class MemoryTier extends CacheTier {
  readonly name: string;
  readonly isAtomic = true;
  readonly fenceMs: number;
  private readonly entries = new Map<string, CacheEntry>();
  private readonly fences = new Map<string, { readonly fence: string; readonly untilMs: number }>();
  private readonly clock: Clock;
  private readonly maxItems: number;
  private sweptSoFar = 0;

  constructor(options: MemoryTierOptions) {
    super();
    this.clock = options.clock;
    this.name = options.name ?? 'memory';
    this.fenceMs = options.fenceMs ?? DEFAULT_FENCE_MS;
    this.maxItems = options.maxItems ?? 10_000;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Promise<TierRead> {
    return Promise.resolve(this.read(key));
  }

  getMany(keys: readonly string[]): Promise<TierRead[]> {
    return Promise.resolve(keys.map((key) => this.read(key)));
  }

  set(write: TierWrite): Promise<boolean> {
    return Promise.resolve(this.write(write));
  }

  setMany(writes: readonly TierWrite[]): Promise<boolean[]> {
    return Promise.resolve(writes.map((write) => this.write(write)));
  }

  delete(key: string): Promise<boolean> {
    return Promise.resolve(this.remove(key));
  }

  deleteMany(keys: readonly string[]): Promise<number> {
    return Promise.resolve(keys.filter((key) => this.remove(key)).length);
  }

  clear(): Promise<void> {
    for (const key of this.entries.keys()) this.remove(key);
    return Promise.resolve();
  }

  override sweep(): Promise<number> {
    const nowMs = this.clock.nowMs();
    let swept = 0;
    for (const [key, entry] of this.entries) {
      if (entry.staleUntilMs > nowMs) continue;
      this.entries.delete(key);
      swept += 1;
    }
    this.sweptSoFar += swept;
    return Promise.resolve(swept);
  }

  override get swept(): number {
    return this.sweptSoFar;
  }

  override usage(): Promise<TierUsage> {
    return Promise.resolve({ items: this.entries.size });
  }

  private read(key: string): TierRead {
    const entry = this.entries.get(key);
    const isUsable = entry !== undefined && entry.staleUntilMs > this.clock.nowMs();
    return { entry: isUsable ? entry : undefined, fence: this.fenceOf(key) };
  }

  private write({ key, entry, fence }: TierWrite): boolean {
    if (fence === undefined) this.raiseFence(key);
    else if (fence !== this.fenceOf(key)) return false;
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > this.maxItems) {
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest);
        break;
      }
    }
    return true;
  }

  private remove(key: string): boolean {
    this.raiseFence(key);
    return this.entries.delete(key);
  }

  private fenceOf(key: string): string {
    const known = this.fences.get(key);
    return known !== undefined && known.untilMs > this.clock.nowMs() ? known.fence : '';
  }

  private raiseFence(key: string): void {
    const nowMs = this.clock.nowMs();
    this.fences.delete(key);
    this.fences.set(key, { fence: newFence(nowMs), untilMs: nowMs + this.fenceMs });
    for (const [oldest, { untilMs }] of this.fences) {
      if (untilMs > nowMs) break;
      this.fences.delete(oldest);
    }
  }
}
