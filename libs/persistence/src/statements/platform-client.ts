import { Client, type ClientBase, type QueryConfig, type QueryResult } from 'pg';
import type { Clock } from '#libs/core';
import { currentContext } from '#libs/logging';
import type { CancelKey } from '../deadline/cancel-request.js';
import type { DeadlineWatch } from '../deadline/deadline-watch.js';
import {
  isBoundByDeadline,
  StatementDeadline,
  statementStopped,
} from '../deadline/statement-deadline.js';
import type { StatementInterceptor } from './statement-interceptor.js';
import type {
  StatementCall,
  StatementEnd,
  StatementObserver,
  StatementOutcome,
} from './statement-observer.js';
import { type Done, type PreparedParts, StatementPreparer } from './statement-preparer.js';

export interface PlatformClientParts {
  readonly clock: Clock;
  /** Undefined: nothing is prepared. */
  readonly prepared: Omit<PreparedParts, 'clock'> | undefined;
  /** May change at any time. */
  readonly observers: ReadonlySet<StatementObserver>;
  readonly interceptors: ReadonlySet<StatementInterceptor>;
  readonly deadlines: DeadlineWatch;
}

type Query = (config: unknown, values?: unknown, callback?: unknown) => unknown;

/**
 * A client of `pg` whose statements are prepared, observed and bound by the deadline of their request,
 * however they are given to it.
 */
export function platformClient(parts: PlatformClientParts): new () => ClientBase {
  const { clock, observers, interceptors, prepared, deadlines } = parts;
  return class PlatformClient extends Client {
    private readonly preparer =
      prepared === undefined
        ? undefined
        : new StatementPreparer({ ...prepared, clock }, this, (query, done) => {
            this.pass(query, undefined, done);
          });

    // The overloads of `pg` all come down to this.
    override query(config: unknown, values?: unknown, callback?: unknown): never {
      const query = queryOf(config, values);
      if (query === undefined) return this.pass(config, values, callback) as never;
      const isPrepared = this.preparer?.isFor(query) ?? false;
      const deadlineMs = currentContext()?.deadlineMs;
      if (
        !isPrepared &&
        observers.size === 0 &&
        interceptors.size === 0 &&
        deadlineMs === undefined
      ) {
        return this.pass(config, values, callback) as never;
      }
      const done = [values, callback].find((value) => typeof value === 'function') as Done;
      if (done !== undefined) {
        this.run(query, isPrepared, done);
        return undefined as never;
      }
      const execute = (): Promise<QueryResult> => this.promise(query, isPrepared);
      if (interceptors.size > 0) {
        const call = this.callOf(query);
        for (const interceptor of interceptors) {
          const answer = interceptor.intercept(call, execute);
          if (answer !== undefined) return answer as never;
        }
      }
      return execute() as never;
    }

    private promise(query: QueryConfig, isPrepared: boolean): Promise<QueryResult> {
      return new Promise<QueryResult>((resolve, reject) => {
        this.run(query, isPrepared, (error, result) => {
          if (error === null || error === undefined) resolve(result);
          else reject(error);
        });
      }).catch((error: Error) => {
        // Names what called, rather than the socket that answered.
        Error.captureStackTrace(error);
        throw error;
      });
    }

    private run(query: QueryConfig, isPrepared: boolean, done: Done): void {
      const deadlineMs = currentContext()?.deadlineMs;
      const isBound = deadlineMs !== undefined && isBoundByDeadline(query.text);
      if (isBound && deadlineMs <= clock.monotonicMs()) {
        process.nextTick(() => done(statementStopped(), undefined as never));
        return;
      }
      const observed = observers.size === 0 ? done : this.observed(query, done);
      const end = isBound
        ? new StatementDeadline(deadlineMs, deadlines, this as unknown as CancelKey, observed).end
        : observed;
      if (isPrepared) this.preparer?.send(query, end);
      else this.pass(query, undefined, end);
    }

    private observed(query: QueryConfig, done: Done): Done {
      const call = this.callOf(query);
      const ends: StatementEnd[] = [];
      for (const observer of observers) {
        const end = observer.started(call);
        if (end !== undefined) ends.push(end);
      }
      if (ends.length === 0) return done;
      const startedMs = clock.monotonicMs();
      return (error, result) => {
        const outcome = outcomeOf(clock.monotonicMs() - startedMs, error, result);
        const waits = ends.map((end) => end(outcome)).filter((wait) => wait !== undefined);
        if (waits.length === 0) done(error, result);
        else void answerAfter(waits, () => done(error, result));
      };
    }

    private callOf(query: QueryConfig): StatementCall {
      return {
        text: query.text,
        values: (query.values as readonly unknown[] | undefined) ?? [],
        transactionStatus: this.getTransactionStatus(),
        connection: this,
      };
    }

    private pass(config: unknown, values: unknown, callback: unknown): unknown {
      return (super.query as Query).call(this, config, values, callback);
    }
  };
}

async function answerAfter(waits: readonly Promise<void>[], answer: () => void): Promise<void> {
  await Promise.allSettled(waits);
  answer();
}

function outcomeOf(
  durationMs: number,
  error: Error | null | undefined,
  result: QueryResult | readonly QueryResult[] | undefined,
): StatementOutcome {
  // Several statements in one text give several results; the last one tells how it went.
  const last = Array.isArray(result) ? (result.at(-1) as QueryResult) : (result as QueryResult);
  return {
    durationMs,
    rowCount: last?.rowCount ?? null,
    command: last?.command,
    rows: last?.rows ?? [],
    error: error ?? undefined,
  };
}

/** The query in one form; undefined for what brings its own way of being sent, such as a cursor. */
function queryOf(config: unknown, values: unknown): QueryConfig | undefined {
  const given = Array.isArray(values) ? { values } : {};
  if (typeof config === 'string') return { text: config, ...given };
  if (config === null || typeof config !== 'object' || 'submit' in config) return undefined;
  const query = config as QueryConfig;
  return typeof query.text === 'string' ? { ...query, ...given } : undefined;
}
