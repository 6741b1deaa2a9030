import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { memoryPressure, type MemoryPressureEvent } from '#libs/resilience';
import { cacheSettings } from '../cache.settings.js';
import { CACHE_KINDS, type CacheKind } from '../managers/cache-kind.js';
import { Caches } from '../managers/caches.js';

/** Part of what the first level holds that it keeps, by level of pressure. */
const KEPT = { shed: 0.5, critical: 0.1 } as const;
/** Part of the budget of a kind below which it is never bounded. */
const FLOOR = 0.02;
const GROWTH = 1.5;

/**
 * Gives memory of the first level back under pressure, and takes it again when that has ended. The
 * bound follows what is held, not the budget: half of a budget that is not filled frees nothing.
 * Shared levels keep what leaves here.
 */
@Injectable()
export class MemoryShedding implements OnModuleInit, OnApplicationShutdown {
  private caps: Record<CacheKind, number> | undefined;
  private unsubscribe: (() => void) | undefined;
  private restoring: NodeJS.Timeout | undefined;

  constructor(
    private readonly caches: Caches,
    private readonly settings: SettingsStore,
  ) {}

  onModuleInit(): void {
    this.unsubscribe ??= memoryPressure.subscribe((event) => this.onPressure(event));
  }

  onApplicationShutdown(): void {
    this.unsubscribe?.();
    clearTimeout(this.restoring);
  }

  private onPressure({ level, previous }: MemoryPressureEvent): void {
    clearTimeout(this.restoring);
    if (level === 'normal') this.restoreLater();
    // From critical to shed it is getting better.
    else if (level !== 'shed' || previous !== 'critical') this.shed(KEPT[level]);
  }

  private shed(kept: number): void {
    this.put((kind, budget) =>
      Math.min(
        this.caps?.[kind] ?? budget,
        Math.max(budget * FLOOR, this.caches.bytesOf(kind) * kept),
      ),
    );
  }

  private restoreLater(): void {
    const { restoreEveryMs } = this.settings.get(cacheSettings);
    this.restoring = setTimeout(() => {
      this.put((kind) => (this.caps?.[kind] ?? 0) * GROWTH);
      const isBounded = CACHE_KINDS.some(
        (kind) => (this.caps?.[kind] ?? 0) < this.caches.budgets[kind],
      );
      if (isBounded) this.restoreLater();
      else this.lift();
    }, restoreEveryMs).unref();
  }

  private put(capOf: (kind: CacheKind, budget: number) => number): void {
    const caps = CACHE_KINDS.map((kind) => [
      kind,
      Math.floor(capOf(kind, this.caches.budgets[kind])),
    ]);
    this.caps = Object.fromEntries(caps) as Record<CacheKind, number>;
    this.caches.setCaps(this.caps);
  }

  private lift(): void {
    this.caps = undefined;
    this.caches.setCaps(undefined);
  }
}
