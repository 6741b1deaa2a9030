import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { type Clock, DeadlineExceededError } from '#libs/core';
import { currentContext, runWithContext } from '#libs/logging';
import { type Deadline, DeadlineWatch } from '../deadline/deadline-watch.js';
import { DatabaseError } from '../errors/database-error.js';
import type { PreparedLimits } from '../statements/connection-statements.js';
import { platformClient } from '../statements/platform-client.js';
import type { StatementInterceptor } from '../statements/statement-interceptor.js';
import type { StatementObserver } from '../statements/statement-observer.js';
import { StatementRegistry } from '../statements/statement-registry.js';
import { poolEvents } from './pool.events.js';
import { PoolBreaker, type PoolBreakerOptions } from './pool-breaker.js';
import { PoolMonitor } from './pool-monitor.js';

export interface PlatformPoolOptions {
  readonly clock: Clock;
  /** Most callers that wait for a connection; the next one is turned away at once. */
  readonly maxWaiting: number;
  /** When statements are prepared; undefined: never. */
  readonly prepared: PreparedLimits | undefined;
  /** When callers no longer wait for a database that does not answer. Default 3 time-outs, 1,000 ms. */
  readonly breaker?: Omit<PoolBreakerOptions, 'clock'>;
}

/** `pg` passes null for none. */
type Release = (error?: Error | boolean | null) => void;
type Connected = (error: Error | undefined, client: PoolClient | undefined, done: Release) => void;

/** Where a connection was taken; the text of a trace is made only when it is read. */
interface Place {
  readonly stack: string;
}

/** What `pg` says when nobody gave a connection back in time, and when none could be made in time. */
const ACQUIRE_TIMEOUTS: ReadonlySet<string | undefined> = new Set([
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
]);

/** Somebody who waits for a connection; past its deadline it is still in the queue of `pg`. */
interface Waiter {
  isWaiting: boolean;
}

/**
 * The pool of `pg` with a bounded queue, first come, first served; with the times of waiting and
 * holding; with statements that are prepared by themselves; and with an eye on what comes back:
 * a connection inside a transaction is closed, and who took it is told on `poolEvents`.
 */
export class PlatformPool extends Pool {
  /**
   * Callers that wait for a connection. The count of `pg`, in whose place this stands, has those too
   * whose deadline has passed, since they stay in its queue.
   */
  override waitingCount = 0;
  readonly monitor: PoolMonitor;
  readonly statements: StatementRegistry;
  readonly breaker: PoolBreaker;
  private readonly deadlines: DeadlineWatch;
  private readonly observers: Set<StatementObserver>;
  private readonly interceptors: Set<StatementInterceptor>;
  private readonly maxWaiting: number;
  private readonly clock: Clock;

  constructor(config: PoolConfig, { clock, maxWaiting, prepared, breaker }: PlatformPoolOptions) {
    const statements = new StatementRegistry();
    const observers = new Set<StatementObserver>();
    const interceptors = new Set<StatementInterceptor>();
    const deadlines = new DeadlineWatch(clock);
    super({
      ...config,
      Client: platformClient({
        clock,
        observers,
        interceptors,
        deadlines,
        prepared: prepared === undefined ? undefined : { registry: statements, limits: prepared },
      }),
    });
    this.observers = observers;
    this.interceptors = interceptors;
    this.deadlines = deadlines;
    this.statements = statements;
    this.clock = clock;
    this.maxWaiting = maxWaiting;
    this.monitor = new PoolMonitor(clock);
    this.breaker = new PoolBreaker({ timeouts: 3, openMs: 1_000, ...breaker, clock });
    const { counts } = this.monitor;
    this.on('connect', (client) => {
      counts.created += 1;
      // One that breaks between two statements says so where nobody else listens, which would end the
      // process; the next statement on it fails, and that is where it belongs.
      client.on('error', () => undefined);
    });
    this.on('remove', () => (counts.removed += 1));
    this.on('error', () => (counts.errors += 1));
  }

  /** Most connections from now on. What is above a smaller bound is closed as it comes back. */
  resize(max: number): void {
    this.options.max = max;
  }

  /** Shows every statement to `observer` until the returned function is called. */
  observe(observer: StatementObserver): () => void {
    this.observers.add(observer);
    return () => void this.observers.delete(observer);
  }

  /**
   * Lets `interceptor` answer statements, of those who wait for a promise, until the returned
   * function is called.
   */
  intercept(interceptor: StatementInterceptor): () => void {
    this.interceptors.add(interceptor);
    return () => void this.interceptors.delete(interceptor);
  }

  override connect(): Promise<PoolClient>;
  override connect(done: Connected): void;
  override connect(done?: Connected): Promise<PoolClient> | void {
    const place = { stack: '' };
    // eslint-disable-next-line typescript/unbound-method -- only says where the trace begins
    Error.captureStackTrace(place, PlatformPool.prototype.connect);
    if (done !== undefined) return this.take(place, done);
    return new Promise<PoolClient>((resolve, reject) => {
      this.take(place, (error, client) => {
        if (client === undefined) reject(error ?? new Error('The pool gave no connection.'));
        else resolve(client);
      });
    });
  }

  private take(place: Place, done: Connected): void {
    if (this.waitingCount >= this.maxWaiting) {
      this.monitor.counts.refused += 1;
      poolEvents.publish(() => ({ type: 'refused', waiting: this.waitingCount }));
      const error = new DatabaseError(
        'DATABASE_POOL_EXHAUSTED',
        'Too many callers wait for the database (database.maxWaiting); try again.',
        'unavailable',
        undefined,
      );
      queueMicrotask(() => done(error, undefined, () => undefined));
      return;
    }
    if (!this.breaker.admits()) {
      this.monitor.counts.refused += 1;
      const error = new DatabaseError(
        'DATABASE_UNAVAILABLE',
        'The database does not answer; try again.',
        'unavailable',
        undefined,
      );
      queueMicrotask(() => done(error, undefined, () => undefined));
      return;
    }
    const startedMs = this.clock.monotonicMs();
    const context = currentContext();
    const deadlineMs = context?.deadlineMs;
    const waiter = this.enter();
    if (deadlineMs !== undefined) done = this.untilDeadline(deadlineMs, startedMs, waiter, done);
    const connect = super.connect.bind(this) as unknown as (done: Connected) => void;
    connect((error, client, release) => {
      this.leave(waiter);
      const nowMs = this.clock.monotonicMs();
      if (client === undefined) {
        this.failed(error, startedMs, nowMs);
        done(error, client, release);
        return;
      }
      this.breaker.signOfLife();
      this.monitor.acquired(nowMs - startedMs, this.totalCount - this.idleCount);
      const returned = this.returning(client, release, nowMs, place);
      client.release = returned;
      // It comes in the context of whoever gave it back or had it opened.
      if (currentContext() === context) done(error, client, returned);
      else runWithContext(context, () => done(error, client, returned));
    });
  }

  private enter(): Waiter {
    this.waitingCount += 1;
    return { isWaiting: true };
  }

  private leave(waiter: Waiter): void {
    if (!waiter.isWaiting) return;
    waiter.isWaiting = false;
    this.waitingCount -= 1;
  }

  /**
   * Lets a caller wait for a connection until its deadline. One that comes later goes back as it came.
   */
  private untilDeadline(
    deadlineMs: number,
    nowMs: number,
    waiter: Waiter,
    done: Connected,
  ): Connected {
    let isOver = false;
    const deadline: Deadline = {
      deadlineMs,
      expire: () => {
        isOver = true;
        this.leave(waiter);
        done(new DeadlineExceededError('the wait for the database'), undefined, () => undefined);
      },
    };
    if (deadlineMs > nowMs) this.deadlines.add(deadline);
    else process.nextTick(deadline.expire);
    return (error, client, release) => {
      this.deadlines.remove(deadline);
      if (!isOver) done(error, client, release);
      // The next in the queue would get it inside of this call, and so on: thousands deep.
      else if (client !== undefined) process.nextTick(() => client.release());
    };
  }

  private returning(client: PoolClient, release: Release, takenMs: number, place: Place): Release {
    return (error) => {
      const heldMs = this.clock.monotonicMs() - takenMs;
      this.monitor.released(heldMs);
      const isFaulty = Boolean(error);
      if (!isFaulty) this.breaker.signOfLife();
      const status = client.getTransactionStatus();
      if (!isFaulty && status !== null && status !== 'I') {
        this.monitor.counts.leakedTransactions += 1;
        const takenAt = place.stack.replace(/^.*\n/, '');
        poolEvents.publish(() => ({ type: 'leaked-transaction', takenAt, heldMs }));
        release(true);
      } else release(isFaulty ? error : this.totalCount > this.options.max);
    };
  }

  private failed(error: Error | undefined, startedMs: number, nowMs: number): void {
    if (!ACQUIRE_TIMEOUTS.has(error?.message)) {
      this.monitor.counts.errors += 1;
      this.breaker.failed();
      return;
    }
    this.monitor.counts.timedOut += 1;
    this.breaker.waitedInVain(startedMs);
    poolEvents.publish(() => ({
      type: 'timed-out',
      waitedMs: nowMs - startedMs,
      waiting: this.waitingCount,
    }));
  }
}
