import type { Clock } from '#libs/core';
import { NO_STATISTICS, type TermStatistics } from '../ranking/term-statistics.js';
import type { Queryable } from './database.js';

interface StatisticsRow {
  readonly entries: number;
  readonly terms: readonly string[] | null;
  readonly shares: readonly number[] | null;
}

const FRESH_MS = 60_000;
/** Terms too rare to be listed are, by Zipf's law, much rarer than the rarest that is. */
const UNLISTED_SHARE = 1 / 16;

/**
 * What PostgreSQL's own statistics say of the search index. ANALYZE, which autovacuum runs, keeps
 * the commonest lexemes of a `tsvector` column with their frequencies, so that knowing them costs
 * a write nothing and needs no table of ours.
 */
export class PostgresTermStatistics {
  private known: TermStatistics = NO_STATISTICS;
  private readAtMs = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly database: Queryable,
    private readonly clock: Clock,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** What is known; only the first call waits for the database, later ones refresh behind. */
  async current(): Promise<TermStatistics> {
    if (this.clock.monotonicMs() - this.readAtMs < FRESH_MS) return this.known;
    const isFirst = this.readAtMs === -Infinity;
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    if (isFirst) await this.reading;
    return this.known;
  }

  /** Forgets what is known, so that the next search asks again. */
  invalidate(): void {
    this.readAtMs = -Infinity;
  }

  private async read(): Promise<void> {
    try {
      const [row] = await this.database.query<StatisticsRow>(SQL);
      this.known = toStatistics(row);
    } catch (error) {
      // Searches work without, only less well.
      this.onFailure(error);
    }
    this.readAtMs = this.clock.monotonicMs();
  }
}

const SQL = `
  SELECT greatest(c.reltuples, 0)::float8 AS entries,
         s.most_common_elems::text::text[] AS terms,
         s.most_common_elem_freqs AS shares
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_stats s
    ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'terms'
  WHERE c.oid = 'entry_index'::regclass`;

function toStatistics(row: StatisticsRow | undefined): TermStatistics {
  if (row === undefined || row.terms === null || row.shares === null) return NO_STATISTICS;
  const shares = new Map(row.terms.map((term, index) => [term, row.shares?.[index] ?? 0]));
  // After the shares of the terms PostgreSQL lists the least and the greatest of them.
  const unlisted = (row.shares[row.terms.length] ?? 0.01) * UNLISTED_SHARE;
  return { entries: row.entries, shareOf: (term) => shares.get(term) ?? unlisted };
}
