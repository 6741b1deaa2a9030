import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, messageOf } from '#libs/core';
import {
  IndexBuildFailedError,
  IndexChangeBusyError,
  IndexChangeRefusedError,
} from '../errors/change.errors.js';
import { indexName } from '../selection/index-name.js';
import { type CandidateIndex, candidateClause, quoteName } from '../what-if/candidate-index.js';
import { type BuildProgress, BuildWatchdog } from './build-watchdog.js';
import type { ChangeAudit, ChangeStep } from './change-audit.js';
import { type ChangeLimits, DEFAULT_CHANGE_LIMITS } from './change-limits.js';
import type { ChangeSession, OpenChangeSession } from './change-session.js';
import { type IndexState, readIndexState } from './index-state.js';
import { preflight } from './preflight.js';

/** An index to build. */
export interface IndexChange {
  /** Of all steps of this change. */
  readonly id: string;
  readonly index: CandidateIndex;
  readonly expectedBytes?: number | undefined;
}

export interface IndexChangerOptions {
  readonly openSession: OpenChangeSession;
  readonly audit: ChangeAudit;
  readonly clock: Clock;
  readonly limits?: Partial<ChangeLimits>;
  /** Free bytes where the server keeps its data; undefined when nobody knows. */
  readonly diskFreeBytes?: (session: ChangeSession) => Promise<number | undefined>;
}

export interface ChangeRun {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BuildProgress) => void;
}

export interface ChangeOutcome {
  readonly state: 'built' | 'already-there';
  readonly name: string;
  readonly bytes: number;
  readonly durationMs: number;
}

/** One change at a time in a database, from whichever process. */
const CHANGE_LOCK = `hashtextextended('pantheon.index-advisor.change', 0)`;
const POLL_MS = 200;
/** Deadlock, lock not available, cancelled, serialisation: another time it may do. */
const PASSING = new Set(['40P01', '55P03', '57014', '40001']);

/**
 * Builds and removes indexes while the database is in use.
 *
 * A build goes: lock against other changes → preflight → what the last run left (valid: done;
 * invalid: removed) → short wait for the table's lock → CREATE INDEX CONCURRENTLY under a watchdog
 * → check that it is valid. Whatever ends a build, its invalid index is removed; after a crash
 * the next run does that, because the name is the same each time. Steps are audited.
 */
export class IndexChanger {
  private readonly limits: ChangeLimits;

  constructor(private readonly options: IndexChangerOptions) {
    this.limits = { ...DEFAULT_CHANGE_LIMITS, ...options.limits };
  }

  /**
   * Builds an index; when it is there already, nothing happens.
   * Throws `INDEX_CHANGE_BUSY`, `INDEX_CHANGE_REFUSED` or `INDEX_BUILD_FAILED`.
   */
  async build(change: IndexChange, run: ChangeRun = {}): Promise<ChangeOutcome> {
    return this.withLock(async (session) => {
      const target = targetOf(change.index);
      const before = await readIndexState(session, target);
      if (before.kind === 'valid') {
        await this.audit(change, 'already-there', { bytes: before.bytes });
        return { state: 'already-there', name: target.name, bytes: before.bytes, durationMs: 0 };
      }
      await this.requirePreflight(session, change, before);
      if (before.kind === 'invalid') await this.dropInvalid(session, change, 'of an earlier run');
      return await this.buildAndRetry(session, change, run);
    });
  }

  /** Removes an index that `build` made; nothing happens when it is gone. */
  async revert(change: IndexChange, detail: Readonly<Record<string, unknown>>): Promise<void> {
    await this.withLock(async (session) => {
      const state = await readIndexState(session, targetOf(change.index));
      if (state.kind === 'valid' || state.kind === 'invalid') {
        await this.takeTableLock(session, change.index);
        await this.drop(session, change);
      }
      await this.audit(change, 'reverted', detail);
    });
  }

  private async buildAndRetry(
    session: ChangeSession,
    change: IndexChange,
    run: ChangeRun,
  ): Promise<ChangeOutcome> {
    const startedMs = this.options.clock.monotonicMs();
    for (let attempt = 1; ; attempt += 1) {
      try {
        run.signal?.throwIfAborted();
        await this.takeTableLock(session, change.index);
        await this.audit(change, 'build-started', { attempt });
        await this.create(session, change, run);
        const state = await readIndexState(session, targetOf(change.index));
        if (state.kind !== 'valid') throw new IndexBuildFailedError('it is not valid');
        const durationMs = this.options.clock.monotonicMs() - startedMs;
        await this.audit(change, 'built', { attempt, durationMs, bytes: state.bytes });
        const { name } = targetOf(change.index);
        return { state: 'built', name, bytes: state.bytes, durationMs };
      } catch (error) {
        await this.cleanUp(session, change, { attempt, reason: messageOf(error) });
        const mayPass = PASSING.has(codeOf(error)) && run.signal?.aborted !== true;
        if (!mayPass || attempt >= this.limits.attempts) throw error;
        await sleep(POLL_MS * 2 ** attempt);
      }
    }
  }

  private async cleanUp(
    session: ChangeSession,
    change: IndexChange,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.audit(change, 'build-failed', detail);
    try {
      const left = await readIndexState(session, targetOf(change.index));
      if (left.kind === 'invalid') await this.dropInvalid(session, change, 'of a failed build');
    } catch {
      // The session broke, which the error of the build tells; the next run cleans up.
    }
  }

  private async create(session: ChangeSession, change: IndexChange, run: ChangeRun): Promise<void> {
    const { index } = change;
    const watcher = await this.options.openSession();
    const watchdog = new BuildWatchdog({
      session: watcher,
      pid: session.pid,
      limits: this.limits,
      clock: this.options.clock,
      signal: run.signal,
      onProgress: run.onProgress,
    });
    try {
      await session.query(createStatement(index, 'CONCURRENTLY IF NOT EXISTS'));
      // The planner knows nothing of an expression until it is analysed.
      if (index.keys.some(({ column }) => column === undefined)) {
        await session.query(`ANALYZE ${quoteName(index.schema)}.${quoteName(index.table)}`);
      }
    } catch (error) {
      const { endedBecause } = watchdog;
      if (endedBecause === undefined) throw error;
      throw new IndexBuildFailedError(endedBecause, error);
    } finally {
      await watchdog.stop();
      await watcher.close();
    }
  }

  /**
   * Waits for the lock that the build takes first, for a short time and again: who waits long for
   * it makes others queue up. The build itself must not have a lock timeout (see BuildWatchdog).
   */
  private async takeTableLock(session: ChangeSession, index: CandidateIndex): Promise<void> {
    const table = `${quoteName(index.schema)}.${quoteName(index.table)}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await session.query('BEGIN');
        await session.query(`SET LOCAL lock_timeout = ${this.limits.lockWaitMs}`);
        await session.query(`LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`);
        await session.query('COMMIT');
        return;
      } catch (error) {
        await session.query('ROLLBACK');
        if (!PASSING.has(codeOf(error))) throw error;
        if (attempt >= this.limits.attempts) {
          throw new IndexChangeBusyError(`somebody holds the table ${index.table}`, error);
        }
        await sleep(POLL_MS * 2 ** attempt);
      }
    }
  }

  private async requirePreflight(
    session: ChangeSession,
    change: IndexChange,
    state: IndexState,
  ): Promise<void> {
    const { index, expectedBytes } = change;
    const { schema, table } = index;
    const diskFreeBytes = await this.options.diskFreeBytes?.(session);
    const limits = this.limits;
    const checks = await preflight(session, {
      schema,
      table,
      expectedBytes,
      limits,
      diskFreeBytes,
    });
    await this.audit(change, 'preflight', { checks });
    const reasons = checks
      .filter((each) => each.state === 'refused')
      .map(({ name, detail }) => `${name}: ${detail}`);
    if (state.kind === 'other') {
      reasons.push(`something else is called ${targetOf(index).name}`);
    }
    if (reasons.length === 0) return;
    await this.audit(change, 'refused', { reasons });
    if (reasons.every((reason) => reason.startsWith('other-builds'))) {
      throw new IndexChangeBusyError(reasons.join('; '));
    }
    throw new IndexChangeRefusedError(reasons);
  }

  private async dropInvalid(
    session: ChangeSession,
    change: IndexChange,
    whose: string,
  ): Promise<void> {
    await this.drop(session, change);
    await this.audit(change, 'invalid-dropped', { whose });
  }

  private async drop(session: ChangeSession, { index }: IndexChange): Promise<void> {
    const { schema, name } = targetOf(index);
    await session.query(
      `DROP INDEX CONCURRENTLY IF EXISTS ${quoteName(schema)}.${quoteName(name)}`,
    );
  }

  private async withLock<Result>(
    work: (session: ChangeSession) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.options.openSession();
    try {
      await session.query(`SELECT set_config('statement_timeout', '0', false),
        set_config('lock_timeout', '0', false)
        ${await checksItsClient(session)}`);
      await this.takeChangeLock(session);
      // The lock ends with the session.
      return await work(session);
    } finally {
      await session.close();
    }
  }

  private async takeChangeLock(session: ChangeSession): Promise<void> {
    const untilMs = this.options.clock.monotonicMs() + this.limits.changeLockWaitMs;
    for (;;) {
      const [row] = await session.query<{ taken: boolean }>(
        `SELECT pg_try_advisory_lock(${CHANGE_LOCK}) AS taken`,
      );
      if (row?.taken === true) return;
      if (this.options.clock.monotonicMs() >= untilMs) {
        throw new IndexChangeBusyError('another index of this database is being changed');
      }
      await sleep(POLL_MS);
    }
  }

  private audit(
    change: IndexChange,
    step: ChangeStep,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { schema, table, name } = targetOf(change.index);
    const definition = createStatement(change.index, 'CONCURRENTLY');
    return this.options.audit.write({
      changeId: change.id,
      step,
      schema,
      table,
      index: name,
      definition,
      detail,
    });
  }
}

function createStatement(index: CandidateIndex, how: string): string {
  return `CREATE INDEX ${how} ${quoteName(indexName(index))} ON ${candidateClause(index)}`;
}

function targetOf(index: CandidateIndex) {
  return { schema: index.schema, table: index.table, name: indexName(index) };
}

/**
 * Lets the server end the build when its client is gone: a build without a watchdog could hold
 * others up. Known from PostgreSQL 14, and not on every system.
 */
async function checksItsClient(session: ChangeSession): Promise<string> {
  const [row] = await session.query<{ settable: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'client_connection_check_interval'
       AND max_val <> '0') AND version() LIKE '%linux%' AS settable`,
  );
  return row?.settable === true
    ? `, set_config('client_connection_check_interval', '1s', false)`
    : '';
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
