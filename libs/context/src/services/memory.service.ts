import { type AccessControl, type Clock, isUuid, newId, type Principal } from '#libs/core';
import type { AccessRecorder } from '../access/access-recorder.js';
import type { ContextSettings } from '../context.settings.js';
import { EntryNotFoundError } from '../errors/entry-not-found.error.js';
import { MemoryForbiddenError } from '../errors/memory-forbidden.error.js';
import { sourceChanged } from '../events.js';
import type { BatchRead, EntryWhere } from '../port/dual-store-manager.js';
import type { NewEntry, StoreEntry } from '../port/store-entry.js';
import { indexText } from '../ranking/features.js';
import { type ScoreTerms, scoreTerms, totalScore } from '../ranking/score.js';
import type { SearchQuery } from '../ranking/search-query.js';
import { weightsOf } from '../ranking/weights.js';
import { importanceOf } from '../store/entry-record.js';
import { findNotable, rateEntry } from '../store/memory.queries.js';
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

const SOURCE_NAME = 'memories';
const DEFAULT_LIMIT = 10;
/** Memories of each kind (recent, notable, fitting) among which the relevant ones are found. */
const CONSIDERED = 50;

/**
 * What a user's agents remember: entries of the personal source `memories`, which is made with
 * the first of them. Asks for the permission on `memory`; nobody sees anybody else's.
 */
export class MemoryService {
  constructor(
    private readonly stores: PostgresStores,
    private readonly recorder: AccessRecorder,
    private readonly access: AccessControl,
    private readonly clock: Clock,
    private readonly settings: () => ContextSettings,
  ) {}

  /** @throws MemoryForbiddenError, EntryTooLargeError */
  async remember(principal: Principal, memory: NewEntry): Promise<{ id: string }> {
    this.require(principal, 'write');
    const source = (await this.findSource(principal)) ?? (await this.makeSource(principal));
    const { id } = await this.stores.writer.insert(source.id, memory);
    return { id };
  }

  /** The memories that fit a question, best first. @throws MemoryForbiddenError */
  async recall(
    principal: Principal,
    { query: text, where, limit = DEFAULT_LIMIT }: RecallRequest,
  ): Promise<MemoryView[]> {
    this.require(principal, 'read');
    const source = await this.findSource(principal);
    if (source === undefined) return [];
    const { reader } = this.stores;
    const query = await reader.prepare([{ text, weight: 1 }]);
    const [found = []] = await reader.relevant(query, [this.read(source, limit, where)]);
    const ranked = found.map((entry) => this.rate(entry, query));
    ranked.sort((a, b) => b.terms.text - a.terms.text || b.score - a.score);
    return this.handOut(principal, ranked);
  }

  /**
   * The memories worth knowing now, by the whole score: among the recent ones, the important,
   * pinned and rated ones, and those that fit what is going on.
   * @throws MemoryForbiddenError
   */
  async relevant(
    principal: Principal,
    { texts = [], limit = DEFAULT_LIMIT }: RelevantRequest,
  ): Promise<MemoryView[]> {
    this.require(principal, 'read');
    const source = await this.findSource(principal);
    if (source === undefined) return [];
    const { reader, database } = this.stores;
    const query = await reader.prepare(texts.map((text) => ({ text, weight: 1 })));
    const reads = [this.read(source, CONSIDERED)];
    const [[recent = []], [fitting = []], notable] = await Promise.all([
      reader.recents(reads),
      reader.relevant(query, reads),
      findNotable(database, source.id, CONSIDERED).then((ids) => reader.byId(source.id, ids)),
    ]);
    const considered = new Map(
      [...recent, ...fitting, ...notable].map((entry) => [entry.id, entry]),
    );
    const ranked = [...considered.values()].map((entry) => this.rate(entry, query));
    ranked.sort((a, b) => b.score - a.score || b.occurredAt.getTime() - a.occurredAt.getTime());
    return this.handOut(principal, ranked.slice(0, limit));
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
    sourceChanged.publish(() => ({ sourceId: source.id, change: 'entries' }));
  }

  private require(principal: Principal, action: 'read' | 'write'): void {
    if (!this.access.isAllowed(principal, 'memory', action)) throw new MemoryForbiddenError(action);
  }

  private async findSource(principal: Principal): Promise<SourceRow | undefined> {
    const [source] = await findSourcesByName(this.stores.database, principal, [SOURCE_NAME]);
    // A shared source of that name is somebody else's idea.
    return source?.scope === 'personal' ? source : undefined;
  }

  private async makeSource(principal: Principal): Promise<SourceRow> {
    const made = await insertSource(this.stores.database, {
      id: newId(this.clock.nowMs()),
      organizationId: principal.organizationId,
      ownerId: principal.userId,
      name: SOURCE_NAME,
      label: 'Memories',
      kind: 'memory',
      scope: 'personal',
      retentionDays: null,
      cacheRule: null,
    });
    // Nothing was made: another request has just made it.
    const source = made ?? (await this.findSource(principal));
    if (source === undefined) throw new Error('The source of memories was deleted as it was made.');
    return source;
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

  private handOut(principal: Principal, memories: MemoryView[]): MemoryView[] {
    this.recorder.record(
      principal.userId,
      memories.map(({ id }) => id),
    );
    return memories;
  }
}
