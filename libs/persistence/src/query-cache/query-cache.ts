import { AsyncLocalStorage } from 'node:async_hooks';
import type { QueryResult } from 'pg';
import type { Clock } from '#libs/core';
import type { PlatformPool } from '../pool/platform-pool.js';
import type { StatementCall } from '../statements/statement-observer.js';
import { StatementInterceptor } from '../statements/statement-interceptor.js';
import type { CachedResult, QueryResultStore } from './query-result.store.js';
import { isCacheable, keyOf, normalizeSpace, relationsIn } from './query-text.js';
import { SchemaCatalog, withFollowers } from './schema-facts.js';
import { WriteWatch } from './write-watch.js';

export interface QueryCacheOptions {
  readonly store: QueryResultStore;
  readonly pool: PlatformPool;
  readonly clock: Clock;
  /** Whether anything is cached at all; while not, statements pass by at once. */
  readonly isOn: () => boolean;
  /** Longest life of a result, by table; the shortest of a query's tables counts. 0: never cached. */
  readonly ttlMs: (table: string) => number;
}

export interface CachedScope {
  /** Longest life; the settings of the tables may make it shorter. */
  readonly ttlMs?: number;
  /**
   * What decides over the rows beside text and parameters, such as the tenant of a row-level policy.
   */
  readonly scope?: string;
}

/**
 * Keeps the results of reading statements, whoever sends them: TypeORM, a query builder, or SQL. Inside
 * `cached`, a statement that only reads is answered from the store under a key of its text, parameters,
 * role, search path and scope; identical ones that run side by side are one. A committed write to a
 * table ends all results that read it, in every process, before the writer gets its answer.
 *
 * Not cached: anything in a transaction, what writes or locks, what calls volatile functions or asks
 * for the time. Not seen: writes by triggers, and by programs that do not use this pool.
 */
export class QueryCache extends StatementInterceptor {
  private readonly scopes = new AsyncLocalStorage<CachedScope | undefined>();
  private readonly catalog: SchemaCatalog;
  private readonly watch: WriteWatch;
  private readonly session: string;
  private readonly closing: (() => void)[];

  constructor(private readonly options: QueryCacheOptions) {
    super();
    const { pool, clock } = options;
    this.catalog = new SchemaCatalog(async (text) => (await pool.query(text)).rows, clock);
    this.watch = new WriteWatch(
      (tables) => this.written(tables),
      () => this.catalog.forget(),
      options.isOn,
    );
    const {
      user,
      database,
      options: session,
    } = pool.options as {
      user?: string;
      database?: string;
      options?: string;
    };
    this.session = JSON.stringify([user, database, session]);
    this.closing = [pool.observe(this.watch), pool.intercept(this)];
  }

  /** Runs `work`, whose reading statements may be answered from what was read before. */
  cached<Result>(work: () => Promise<Result>, scope: CachedScope = {}): Promise<Result> {
    return this.scopes.run(scope, work);
  }

  override intercept(
    call: StatementCall,
    execute: () => Promise<QueryResult>,
  ): Promise<QueryResult> | undefined {
    const scope = this.options.isOn() ? this.scopes.getStore() : undefined;
    if (scope === undefined || call.transactionStatus === 'T' || call.transactionStatus === 'E') {
      return undefined;
    }
    // What the cache itself asks must not come back here.
    return this.scopes.run(undefined, () => this.answer(call, execute, scope));
  }

  /** Stops looking at the pool. May be called twice. */
  close(): void {
    for (const close of this.closing.splice(0)) close();
  }

  private async answer(
    { text, values }: StatementCall,
    execute: () => Promise<QueryResult>,
    { ttlMs = Number.POSITIVE_INFINITY, scope }: CachedScope,
  ): Promise<QueryResult> {
    const facts = await this.catalog.current();
    if (!isCacheable(text, facts.volatileFunctions)) return execute();
    const relations = relationsIn(text, facts.tablesOf);
    const tables = [...new Set(relations.flatMap((name) => facts.tablesOf.get(name) ?? []))];
    if (tables.length === 0) return execute();
    const lifeMs = Math.min(ttlMs, ...tables.map((table) => this.options.ttlMs(table)));
    if (lifeMs <= 0) return execute();
    const key = keyOf([normalizeSpace(text), values, this.session, scope]);
    const result = await this.options.store.getOrLoad(key, () => load(execute), {
      ttlMs: lifeMs,
      tags: tables.map(tagOf),
    });
    return result as unknown as QueryResult;
  }

  private async written(tables: readonly string[]): Promise<void> {
    const facts = await this.catalog.current().catch(() => undefined);
    const all = facts === undefined ? tables : withFollowers(tables, facts);
    const cached = all.filter((table) => this.options.ttlMs(table) > 0);
    if (cached.length > 0) await this.options.store.invalidate(cached.map(tagOf));
  }
}

async function load(execute: () => Promise<QueryResult>): Promise<CachedResult> {
  const { command, rowCount, rows } = await execute();
  return { command, rowCount, rows: rows as object[] };
}

function tagOf(table: string): string {
  return `table:${table}`;
}
