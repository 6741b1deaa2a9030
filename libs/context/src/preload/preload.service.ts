import { Injectable } from '@nestjs/common';
import { Clock, type Principal } from '#libs/core';
import { SourceCache } from '../caching/source-cache.js';
import { MEMORIES, MemoryService } from '../services/memory.service.js';
import { ContextDatabase } from '../store/database.js';
import type { SourceRow } from '../store/source.queries.js';
import { MemoryPreloader } from './memory-preloader.js';
import {
  DEFAULT_PRELOAD_CONFIG,
  type PreloadCategory,
  type PreloadConfig,
  preloadConfigSchema,
  rowsOf,
} from './preload.config.js';
import {
  findPreload,
  forEachCategory,
  listDuePreloads,
  savePreloadConfig,
  savePreloadOutcome,
  savePreloadRequest,
} from './preload.queries.js';

/** Whose memories are preloaded. */
export interface PreloadOwner {
  readonly userId: string;
  readonly organizationId: string;
}

/** What a preload did. */
export interface PreloadOutcome {
  /** Memories of each category; nothing for a user without memories. */
  readonly rows: Readonly<Record<PreloadCategory, number>>;
  readonly durationMs: number;
}

/** How the preloading of a user stands. */
export interface PreloadStatus {
  readonly state: 'none' | 'requested' | 'loaded';
  readonly jobId: string | null;
  readonly requestedAt: Date | null;
  readonly loadedAt: Date | null;
  readonly durationMs: number | null;
  readonly parts: Readonly<Record<PreloadCategory, PreloadPart>>;
}

export interface PreloadPart {
  /** Most rows, by the configuration. */
  readonly share: number;
  /** Rows at the last load. */
  readonly rows: number;
  /** Until when it is kept; null when it is not: it has run out, or a memory has changed. */
  readonly keptUntil: Date | null;
}

/** Users who keep themselves preloaded are loaded again after this time. */
const REFRESH_AFTER_MS = 30 * 60_000;
const REFRESH_BATCH = 100;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Preloads the memories of users as each of them wishes. What is wished and when it was last done is
 * stored; what was loaded is in the cache, where the next question for relevant memories finds it.
 */
@Injectable()
export class PreloadService {
  constructor(
    private readonly memories: MemoryService,
    private readonly preloader: MemoryPreloader,
    private readonly sources: SourceCache,
    private readonly database: ContextDatabase,
    private readonly clock: Clock,
  ) {}

  /** Notes that a preload was asked for. */
  async requested(owner: PreloadOwner, jobId: string): Promise<void> {
    const { userId, organizationId } = owner;
    await savePreloadRequest(this.database, { userId, organizationId }, jobId, this.clock.now());
  }

  /** Loads the memories of a user into the cache. */
  async run(owner: PreloadOwner): Promise<PreloadOutcome> {
    const startedMs = this.clock.monotonicMs();
    const source = await this.sourceOf(owner);
    const rows =
      source === undefined
        ? forEachCategory(() => 0)
        : await this.preloader.preload(source, await this.configOf(owner.userId));
    const durationMs = this.clock.monotonicMs() - startedMs;
    const loadedAt = this.clock.now();
    await savePreloadOutcome(this.database, owner, { loadedAt, durationMs, rows });
    return { rows, durationMs };
  }

  /** Loads again for everybody who wants to stay preloaded. Returns for how many. */
  async refreshDue(signal: AbortSignal): Promise<number> {
    const before = new Date(this.clock.nowMs() - REFRESH_AFTER_MS);
    let users = 0;
    let after = FIRST_ID;
    for (;;) {
      const due = await listDuePreloads(this.database, before, after, REFRESH_BATCH);
      for (const { userId, organizationId } of due) {
        if (signal.aborted) return users;
        await this.run({ userId, organizationId });
        users += 1;
      }
      const last = due.at(-1);
      if (last === undefined || due.length < REFRESH_BATCH) return users;
      after = last.userId;
    }
  }

  /** @throws MemoryForbiddenError */
  async status(principal: Principal): Promise<PreloadStatus> {
    const source = await this.memories.sourceOf(principal, 'read');
    const record = await findPreload(this.database, principal.userId);
    const shares = rowsOf(this.parse(record?.config));
    const kept = source === undefined ? undefined : await this.preloader.kept(source);
    const { jobId = null, requestedAt = null, loadedAt = null, durationMs = null } = record ?? {};
    const isPending = requestedAt !== null && (loadedAt === null || loadedAt < requestedAt);
    return {
      state: isPending ? 'requested' : loadedAt === null ? 'none' : 'loaded',
      jobId,
      requestedAt,
      loadedAt,
      durationMs,
      parts: forEachCategory((category) => ({
        share: shares[category],
        rows: record?.rows?.[category] ?? 0,
        keptUntil: kept?.[category] ?? null,
      })),
    };
  }

  /** @throws MemoryForbiddenError */
  async config(principal: Principal): Promise<PreloadConfig> {
    this.memories.require(principal, 'read');
    return this.configOf(principal.userId);
  }

  /** Replaces what the user wishes; it holds from the next preload. @throws MemoryForbiddenError */
  async configure(principal: Principal, config: PreloadConfig): Promise<PreloadConfig> {
    this.memories.require(principal, 'write');
    await savePreloadConfig(this.database, principal, config);
    return config;
  }

  private async configOf(userId: string): Promise<PreloadConfig> {
    return this.parse((await findPreload(this.database, userId))?.config);
  }

  /** What was stored by another version may not fit this one. */
  private parse(stored: unknown): PreloadConfig {
    const { success, data } = preloadConfigSchema.safeParse(stored ?? {});
    return success ? data : DEFAULT_PRELOAD_CONFIG;
  }

  private async sourceOf(owner: PreloadOwner): Promise<SourceRow | undefined> {
    const [source] = await this.sources.find(owner, [MEMORIES]);
    return source?.scope === 'personal' ? source : undefined;
  }
}
