import { type Clock, newId } from '#libs/core';
import {
  type Consistency,
  type ConsistencyReport,
  DualStoreManager,
  type EntryConsistency,
  type EntrySort,
  type EntryWhere,
} from '../port/dual-store-manager.js';
import { matchesWhere } from '../port/matches-where.js';
import type { NewEntry, StoreEntry } from '../port/store-entry.js';
import { indexText, type TextIndex } from '../ranking/features.js';
import { SearchQuery } from '../ranking/search-query.js';
import { localStatistics } from '../ranking/local-statistics.js';
import { fieldsOf, importanceOf } from '../store/entry-record.js';

interface Row {
  readonly entry: StoreEntry;
  readonly source: NewEntry;
  index: TextIndex | undefined;
  state: 'written' | 'pending' | 'failed';
  attempts: number;
  lastError: string | null;
}

export interface InMemoryOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly consistency?: Consistency;
  readonly maxAttempts?: number;
}

/** Both stores of a source in memory, for tests; the index can be made to fail. */
export class InMemoryDualStoreManager extends DualStoreManager {
  readonly name: string;
  /** What index writes fail with. */
  indexFailure: Error | undefined;
  private readonly rows = new Map<string, Row>();

  constructor(private readonly options: InMemoryOptions) {
    super();
    this.name = options.name;
  }

  insert(source: NewEntry): Promise<string> {
    return attempt(() => {
      const known = [...this.rows.values()].find(
        (row) => source.externalKey !== undefined && row.source.externalKey === source.externalKey,
      );
      if (known !== undefined && sameContent(known.source, source)) return known.entry.id;
      if (this.options.consistency === 'strict' && this.indexFailure) throw this.indexFailure;
      const entry = this.toEntry(source, known?.entry.id ?? newId(this.options.clock.nowMs()));
      const state = 'pending';
      this.rows.set(entry.id, {
        entry,
        source,
        index: undefined,
        state,
        attempts: 0,
        lastError: null,
      });
      if (this.options.consistency === 'strict') this.settle();
      return entry.id;
    });
  }

  /** Writes the index of what waits for it. */
  settle(): void {
    for (const row of this.rows.values()) if (row.state === 'pending') this.index(row);
  }

  get(id: string): Promise<StoreEntry | null> {
    return Promise.resolve(this.rows.get(id)?.entry ?? null);
  }

  getMostRecent(
    limit = 10,
    filter?: EntryWhere,
    sort: EntrySort = 'newest',
  ): Promise<StoreEntry[]> {
    const direction = sort === 'newest' ? -1 : 1;
    const entries = this.matching(filter).map(({ entry }) => entry);
    entries.sort(
      (a, b) =>
        direction * (a.occurredAt.getTime() - b.occurredAt.getTime() || (a.id < b.id ? -1 : 1)),
    );
    return Promise.resolve(entries.slice(0, limit));
  }

  getMostRelevant(
    texts: readonly string[],
    limit: number,
    where?: EntryWhere,
  ): Promise<StoreEntry[]> {
    const query = new SearchQuery(
      texts.map((text) => ({ text, weight: 1 })),
      localStatistics([...this.rows.values()].flatMap(({ index }) => (index ? [index.terms] : []))),
    );
    const ranked = this.matching(where).flatMap(({ entry, index }) => {
      const relevance = index === undefined ? 0 : query.compare(index).relevance;
      return relevance > 0 ? { entry, relevance } : [];
    });
    ranked.sort((a, b) => b.relevance - a.relevance || (a.entry.id < b.entry.id ? 1 : -1));
    return Promise.resolve(ranked.slice(0, limit).map(({ entry }) => entry));
  }

  checkConsistency(id: string): Promise<EntryConsistency> {
    const row = this.rows.get(id);
    return Promise.resolve({
      id,
      stored: row !== undefined,
      index: row?.state ?? 'missing',
      consistent: row?.state === 'written',
      attempts: row?.attempts ?? 0,
      lastError: row?.lastError ?? null,
    });
  }

  retryVectorWrite(id: string, maxRetries = 3): Promise<boolean> {
    const row = this.rows.get(id);
    if (row === undefined) return Promise.resolve(false);
    for (let retry = 0; retry < maxRetries; retry += 1) {
      row.attempts = 0;
      this.index(row);
      if (row.state === 'written') return Promise.resolve(true);
    }
    return Promise.resolve(false);
  }

  async getConsistencyReport(limit = 100): Promise<ConsistencyReport> {
    const all = await Promise.all([...this.rows.keys()].map((id) => this.checkConsistency(id)));
    const count = (state: string): number => all.filter(({ index }) => index === state).length;
    return {
      total: all.length,
      written: count('written'),
      pending: count('pending'),
      failed: count('failed'),
      missing: 0,
      inconsistent: all.filter(({ consistent }) => !consistent).slice(0, limit),
    };
  }

  cleanup(): Promise<void> {
    this.settle();
    return Promise.resolve();
  }

  private index(row: Row): void {
    row.attempts += 1;
    if (this.indexFailure === undefined) {
      row.index = indexText(row.entry.text ?? '');
      row.state = 'written';
      row.lastError = null;
    } else {
      row.lastError = this.indexFailure.message;
      row.state = row.attempts >= (this.options.maxAttempts ?? 5) ? 'failed' : 'pending';
    }
  }

  private matching(where: EntryWhere | undefined): Row[] {
    return [...this.rows.values()].filter(({ source }) =>
      matchesWhere({ ...fieldsOf(source), metadata: source.metadata ?? {} }, where),
    );
  }

  private toEntry(source: NewEntry, id: string): StoreEntry {
    const { role, type, author } = fieldsOf(source);
    return {
      id,
      text: source.text,
      occurredAt: new Date(source.occurredAt ?? this.options.clock.nowMs()),
      metadata: {
        ...source.metadata,
        ...(role === null ? {} : { role }),
        ...(type === null ? {} : { type }),
        ...(author === null ? {} : { name: author }),
      },
      importance: importanceOf(source.importance),
      pinned: source.pinned ?? false,
      rating: source.rating ?? null,
    };
  }
}

function sameContent(a: NewEntry, b: NewEntry): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function attempt<Value>(work: () => Value): Promise<Value> {
  return new Promise((resolve) => resolve(work()));
}
