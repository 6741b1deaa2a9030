import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#libs/core';
import type { ChangeLimits } from './change-limits.js';
import type { ChangeSession } from './change-session.js';

/** How far a build is. */
export interface BuildProgress {
  /** As PostgreSQL calls it: `building index: scanning table`, `waiting for old snapshots`, … */
  readonly phase: string;
  /** From 0 to 1 of the phase; undefined while it waits. */
  readonly share: number | undefined;
}

interface Look {
  readonly phase: string | null;
  readonly done: number;
  readonly total: number;
  /** How long the one waits who waits longest for a lock that the build holds. */
  readonly blockedMs: number | null;
}

export interface WatchdogOptions {
  readonly session: ChangeSession;
  /** Server process of the build. */
  readonly pid: number;
  readonly limits: ChangeLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: BuildProgress) => void) | undefined;
}

/**
 * Looks after a build from another session, and ends it when it holds others up, waits for old
 * transactions too long, or is no longer wanted. A lock timeout cannot do that: the wait for old
 * transactions counts as one for a lock, so it would end nearly every build on a busy server.
 */
export class BuildWatchdog {
  /** Why the build was ended; undefined when it was not. */
  endedBecause: string | undefined;
  private readonly stopping = new AbortController();
  private readonly startedMs: number;
  private waitingSinceMs: number | undefined;
  private readonly watching: Promise<void>;

  constructor(private readonly options: WatchdogOptions) {
    this.startedMs = options.clock.monotonicMs();
    this.watching = this.watch();
  }

  /** Ends watching; when it has returned, nothing is cancelled any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { limits, signal } = this.options;
    while (!this.stopping.signal.aborted) {
      // A look that fails says nothing about the build: the next one tells.
      await this.look().catch(() => undefined);
      const others = signal === undefined || signal.aborted ? [] : [signal];
      const wakeUp = AbortSignal.any([this.stopping.signal, ...others]);
      await sleep(limits.watchEveryMs, undefined, { signal: wakeUp, ref: false }).catch(
        () => undefined,
      );
    }
  }

  private async look(): Promise<void> {
    const { session, pid, limits, signal, clock, onProgress } = this.options;
    const [look] = await session.query<Look>(LOOK, [pid]);
    if (look === undefined || this.stopping.signal.aborted) return;
    const nowMs = clock.monotonicMs();
    const { phase, done, total } = look;
    if (phase !== null) {
      onProgress?.({ phase, share: total > 0 ? Math.min(1, done / total) : undefined });
    }
    this.waitingSinceMs =
      phase?.startsWith('waiting') === true ? (this.waitingSinceMs ?? nowMs) : undefined;
    const reason =
      signal?.aborted === true
        ? 'it is no longer wanted'
        : (look.blockedMs ?? 0) > limits.lockWaitMs
          ? 'others waited for its lock'
          : nowMs - (this.waitingSinceMs ?? nowMs) > limits.maxWaitMs
            ? 'transactions that were open before it did not end'
            : nowMs - this.startedMs > limits.maxBuildMs
              ? 'it took too long'
              : undefined;
    if (reason === undefined || this.endedBecause !== undefined) return;
    this.endedBecause = reason;
    await session.query('SELECT pg_cancel_backend($1)', [pid]);
  }
}

// Someone who waits behind a queued exclusive lock waits for us, though we block only the first.
const LOOK = `
  SELECT p.phase, coalesce(greatest(p.blocks_done, p.tuples_done), 0)::float8 AS done,
    coalesce(greatest(p.blocks_total, p.tuples_total), 0)::float8 AS total,
    (SELECT max(extract(epoch FROM clock_timestamp()
        - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.state_change)) * 1000)::float8
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE NOT l.granted AND l.locktype = 'relation' AND a.backend_type = 'client backend'
        AND $1::int = ANY (pg_blocking_pids(l.pid))) AS "blockedMs"
  FROM (SELECT 1) AS one LEFT JOIN pg_stat_progress_create_index p ON p.pid = $1::int`;
