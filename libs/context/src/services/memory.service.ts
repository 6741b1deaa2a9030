import { type AccessControl, type Clock, isUuid, newId, type Principal } from '#libs/core';
import type { CacheSource } from '#libs/cache';
import type { AccessRecorder } from '../access/access-recorder.js';
import type { AnswerCache, Computed } from '../caching/answer-cache.js';
import type { SourceCache } from '../caching/source-cache.js';
import type { SourceInvalidation } from '../caching/source-invalidation.js';
import type { ContextSettings } from '../context.settings.js';
import { EntryNotFoundError } from '../errors/entry-not-found.error.js';
import { MemoryForbiddenError } from '../errors/memory-forbidden.error.js';
import { fingerprintOf } from '../port/compile-fingerprint.js';
import type { BatchRead, EntryWhere } from '../port/dual-store-manager.js';
import type { NewEntry, StoreEntry } from '../port/store-entry.js';
import type { MemoryPreloader } from '../preload/memory-preloader.js';
import { indexText } from '../ranking/features.js';
import { type ScoreTerms, scoreTerms, totalScore } from '../ranking/score.js';
import type { SearchQuery } from '../ranking/search-query.js';
import { weightsOf } from '../ranking/weights.js';
import { importanceOf } from '../store/entry-record.js';
import { rateEntry } from '../store/memory.queries.js';
import {
  PostgresDualStoreManager,
  type PostgresStores,
} from '../store/postgres-dual-store-manager.js';
import { findSourcesByName, insertSource, type SourceRow } from '../store/source.queries.js';

/** A memory with why it came up. */
export interface MemoryView {
  readonly id: string;
  readonly text: string;
  readonly occurredAt: Date;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly importance: number;
  readonly pinned: boolean;
  readonly rating: number | null;
  readonly score: number;
  readonly terms: ScoreTerms;
}

/** Memories, best first, and the level of the cache that had them. */
export interface MemoryAnswer {
  readonly items: readonly MemoryView[];
  readonly cache: CacheSource;
}

export interface RecallRequest {
  readonly query: string;
  readonly where?: Record<string, unknown> | undefined;
  /** Default 10. */
  readonly limit?: number | undefined;
}

export interface RelevantRequest {
  /** What is going on. */
  readonly texts?: readonly string[];
  /** Default 10. */
  readonly limit?: number;
}

/** What is not stated stays as it is. */
export interface MemoryFeedback {
  readonly rating?: number | undefined;
  readonly pinned?: boolean | undefined;
  readonly importance?: number | boolean | undefined;
}

/** Name of the source that memories are kept in. */
export const MEMORIES = 'memories';
const DEFAULT_LIMIT = 10;
/** Fitting memories among which, beside those at hand, the relevant ones are found. */
const CONSIDERED = 50;

/**
 * What a user's agents remember: entries of the personal source `memories`, which is made with
 * the first of them. Asks for the permission on `memory`; nobody sees anybody else's.
 */
export class MemoryService {
  constructor(
    private readonly stores: PostgresStores,
    private readonly sources: SourceCache,
    private readonly changes: SourceInvalidation,
    private readonly preloader: MemoryPreloader,
    private readonly answers: AnswerCache<readonly MemoryView[]>,
    private readonly recorder: AccessRecorder,
    private readonly access: AccessControl,
    private readonly clock: Clock,
    private readonly settings: () => ContextSettings,
  ) {}

  /** @throws MemoryForbiddenError, EntryTooLargeError */
  async remember(principal: Principal, memory: NewEntry): Promise<{ id: string }> {
    this.require(principal, 'write');
    // What is written asks the database itself which source there is.
    const source = (await this.storedSource(principal)) ?? (await this.makeSource(principal));
    const { id } = await this.stores.writer.insert(source.id, memory);
    return { id };
  }

  /** The memories that fit a question, best first. @throws MemoryForbiddenError */
  async recall(principal: Principal, request: RecallRequest): Promise<MemoryAnswer> {
    const { query: text, where, limit = DEFAULT_LIMIT } = request;
    return this.answer(principal, ['recall', text, where ?? null, limit], async (source) => {
      const { reader } = this.stores;
      const query = await reader.prepare([{ text, weight: 1 }]);
      const [found = []] = await reader.relevant(query, [this.read(source, limit, where)]);
      const ranked = found.map((entry) => this.rate(entry, query));
      ranked.sort((a, b) => b.terms.text - a.terms.text || b.score - a.score);
      return { value: ranked, isComplete: !query.isPartial };
    });
  }

  /**
   * The memories worth knowing now, by the whole score: among the recent, frequent and important
   * ones, which may have been preloaded, and those that fit what is going on.
   * @throws MemoryForbiddenError
   */
  async relevant(
    principal: Principal,
    { texts = [], limit = DEFAULT_LIMIT }: RelevantRequest,
  ): Promise<MemoryAnswer> {
    return this.answer(principal, ['relevant', texts, limit], async (source) => {
      const { reader } = this.stores;
      const query = await reader.prepare(texts.map((text) => ({ text, weight: 1 })));
      const [atHand, [fitting = []]] = await Promise.all([
        this.preloader.workingSet(source, limit),
        texts.length === 0 ? [] : reader.relevant(query, [this.read(source, CONSIDERED)]),
      ]);
      const considered = new Map([...atHand, ...fitting].map((entry) => [entry.id, entry]));
      const ranked = [...considered.values()].map((entry) => this.rate(entry, query));
      ranked.sort((a, b) => b.score - a.score || b.occurredAt.getTime() - a.occurredAt.getTime());
      return { value: ranked.slice(0, limit), isComplete: !query.isPartial };
    });
  }

  /** @throws MemoryForbiddenError, EntryNotFoundError */
  async feedback(principal: Principal, id: string, feedback: MemoryFeedback): Promise<void> {
    this.require(principal, 'write');
    const source = await this.findSource(principal);
    const isRated =
      source !== undefined &&
      isUuid(id) &&
      (await rateEntry(this.stores.database, source.id, id, {
        rating: feedback.rating ?? null,
        pinned: feedback.pinned ?? null,
        importance: feedback.importance === undefined ? null : importanceOf(feedback.importance),
      }));
    if (!isRated) throw new EntryNotFoundError(id);
    await this.changes.entries([source.id]);
  }

  /**
   * The source of the principal's memories, or undefined while there are none.
   * @throws MemoryForbiddenError
   */
  async sourceOf(principal: Principal, action: 'read' | 'write'): Promise<SourceRow | undefined> {
    this.require(principal, action);
    return this.findSource(principal);
  }

  /** The answer to a question about the principal's own memories, kept as long as they stay the same. */
  private async answer(
    principal: Principal,
    question: readonly unknown[],
    compute: (source: SourceRow) => Promise<Computed<readonly MemoryView[]>>,
  ): Promise<MemoryAnswer> {
    this.require(principal, 'read');
    const source = await this.findSource(principal);
    if (source === undefined) return { items: [], cache: 'MISS' };
    const settings = this.settings();
    const { candidateLimit, embeddingWeight } = settings;
    const key = fingerprintOf([
      source.id,
      source.updatedAt.getTime(),
      question,
      weightsOf(settings),
      candidateLimit,
      embeddingWeight,
    ]);
    const given = await this.answers.get(key, [source], () => compute(source));
    this.recorder.record(
      principal.userId,
      given.value.map(({ id }) => id),
    );
    return { items: given.value, cache: given.source };
  }

  /** @throws MemoryForbiddenError when the principal may not do this with memories */
  require(principal: Principal, action: 'read' | 'write'): void {
    if (!this.access.isAllowed(principal, 'memory', action)) throw new MemoryForbiddenError(action);
  }

  private async findSource(principal: Principal): Promise<SourceRow | undefined> {
    const [source] = await this.sources.find(principal, [MEMORIES]);
    // A shared source of that name is somebody else's idea.
    return source?.scope === 'personal' ? source : undefined;
  }

  private async makeSource(principal: Principal): Promise<SourceRow> {
    const made = await insertSource(this.stores.database, {
      id: newId(this.clock.nowMs()),
      organizationId: principal.organizationId,
      ownerId: principal.userId,
      name: MEMORIES,
      label: 'Memories',
      kind: 'memory',
      scope: 'personal',
      retentionDays: null,
      cacheRule: null,
    });
    if (made !== undefined) await this.changes.configured(made);
    // Nothing was made: another request has just made it.
    const source = made ?? (await this.storedSource(principal));
    if (source === undefined) throw new Error('The source of memories was deleted as it was made.');
    return source;
  }

  private async storedSource(principal: Principal): Promise<SourceRow | undefined> {
    const [source] = await findSourcesByName(this.stores.database, principal, [MEMORIES]);
    return source?.scope === 'personal' ? source : undefined;
  }

  private read(source: SourceRow, limit: number, where?: EntryWhere): BatchRead {
    const manager = new PostgresDualStoreManager(source.name, source, this.stores);
    return { manager, limit, where };
  }

  private rate(entry: StoreEntry, query: SearchQuery): MemoryView {
    const text = entry.text ?? '';
    const { relevance, sharedWords } = query.compare({
      text,
      dense: entry.dense,
      features: entry.features ?? indexText(text).features,
    });
    const weights = weightsOf(this.settings());
    const terms = scoreTerms(entry, relevance, sharedWords, this.clock.nowMs(), weights);
    return {
      id: entry.id,
      text,
      occurredAt: entry.occurredAt,
      metadata: entry.metadata ?? {},
      importance: entry.importance ?? 0,
      pinned: entry.pinned ?? false,
      rating: entry.rating ?? null,
      score: totalScore(terms),
      terms,
    };
  }
}
