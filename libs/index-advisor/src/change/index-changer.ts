import { type Clock, messageOf } from '#libs/core';
import {
  IndexBuildFailedError,
  IndexChangeBusyError,
  IndexChangeRefusedError,
} from '../errors/change.errors.js';
import { createStatement, indexName } from '../selection/index-name.js';
import { type CandidateIndex, quoteName } from '../what-if/candidate-index.js';
import type { BuildProgress } from './build-watchdog.js';
import { buildWatched, type WatchedBuildOptions } from './build-watched.js';
import type { ChangeAudit, ChangeStep } from './change-audit.js';
import { type ChangeLimits, DEFAULT_CHANGE_LIMITS } from './change-limits.js';
import { withChangeLock } from './change-lock.js';
import type { ChangeSession, OpenChangeSession } from './change-session.js';
import { type IndexState, readIndexState } from './index-state.js';
import { isPassing, pauseAfter } from './passing-errors.js';
import { preflight } from './preflight.js';
import { waitForTable } from './wait-for-table.js';

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
  private readonly tools: WatchedBuildOptions;

  constructor(private readonly options: IndexChangerOptions) {
    const { openSession, clock } = options;
    this.limits = { ...DEFAULT_CHANGE_LIMITS, ...options.limits };
    this.tools = { openSession, clock, limits: this.limits };
  }

  /**
   * Builds an index; when it is there already, nothing happens.
   * Throws `INDEX_CHANGE_BUSY`, `INDEX_CHANGE_REFUSED` or `INDEX_BUILD_FAILED`.
   */
  async build(change: IndexChange, run: ChangeRun = {}): Promise<ChangeOutcome> {
    return withChangeLock(this.tools, async (session) => {
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
    await withChangeLock(this.tools, async (session) => {
      const state = await readIndexState(session, targetOf(change.index));
      if (state.kind === 'valid' || state.kind === 'invalid') {
        await waitForTable(session, change.index, this.limits);
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
        await waitForTable(session, change.index, this.limits);
        await this.audit(change, 'build-started', { attempt });
        await buildWatched(session, change.index, { ...this.tools, ...run });
        const state = await readIndexState(session, targetOf(change.index));
        if (state.kind !== 'valid') throw new IndexBuildFailedError('it is not valid');
        const durationMs = this.options.clock.monotonicMs() - startedMs;
        await this.audit(change, 'built', { attempt, durationMs, bytes: state.bytes });
        const { name } = targetOf(change.index);
        return { state: 'built', name, bytes: state.bytes, durationMs };
      } catch (error) {
        await this.cleanUp(session, change, { attempt, reason: messageOf(error) });
        const mayPass = isPassing(error) && run.signal?.aborted !== true;
        if (!mayPass || attempt >= this.limits.attempts) throw error;
        await pauseAfter(attempt);
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

  private audit(
    change: IndexChange,
    step: ChangeStep,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { schema, table, name } = targetOf(change.index);
    const definition = createStatement(change.index, false);
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

function targetOf(index: CandidateIndex) {
  return { schema: index.schema, table: index.table, name: indexName(index) };
}
