import type * as Cockatiel from 'cockatiel';
import { type Clock, DeadlineExceededError, isError } from '#libs/core';
import { Bulkhead } from './bulkhead.js';
import { CallContext, type GuardedCall } from './call-context.js';
import { Circuit } from './circuit.js';
import { BulkheadFullError, CallTimedOutError, CircuitOpenError } from './errors/policy.errors.js';
import { isFailure, isReplaceable, isTransient } from './failure.js';
import type { CircuitState } from './policy.channels.js';
import { PolicyCounts } from './policy-counts.js';
import {
  type PolicyLimits,
  type PolicyOptions,
  type PolicyOverrides,
  resolvePolicyLimits,
} from './policy.options.js';
import { RetryBudget } from './retry-budget.js';
import { pause, type TimeLimit, withinTime } from './time-limit.js';

export interface PolicyParts {
  readonly name: string;
  readonly options: PolicyOptions;
  readonly overrides: PolicyOverrides | undefined;
  readonly clock: Clock;
  /** Loaded with the first call: not every process calls others. */
  readonly library: () => Promise<typeof Cockatiel>;
  /** What the request at hand has left; undefined where nobody has set a deadline. */
  readonly remainingMs: () => number | undefined;
}

export interface ExecuteOptions<Result> {
  /** Of who waits for the call. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the call may be repeated, if the policy retries at all. Default true. */
  readonly mayRetry?: boolean;
  /** Stands in when the part fails or is left alone; gets the reason. */
  readonly fallback?: ((error: unknown) => Promise<Result> | Result) | undefined;
}

/**
 * Guards the calls of one part. From outside in: fallback, retries, breaker (which answers at once
 * while open), bulkhead, time-out.
 */
export class Policy {
  readonly name: string;
  readonly counts = new PolicyCounts();
  private readonly isFailure: (error: unknown) => boolean;
  private readonly isRetryable: (error: unknown) => boolean;
  private current: PolicyLimits;
  private bulkhead: Bulkhead | undefined;
  private budget: RetryBudget | undefined;
  private circuit: Circuit | undefined;
  private loading: Promise<typeof Cockatiel> | undefined;

  constructor(private readonly parts: PolicyParts) {
    this.name = parts.name;
    this.isFailure = parts.options.isFailure ?? isFailure;
    this.isRetryable = parts.options.isRetryable ?? isTransient;
    this.current = resolvePolicyLimits(parts.options, parts.overrides);
    this.rebuild();
  }

  get limits(): PolicyLimits {
    return this.current;
  }

  get state(): CircuitState {
    return this.circuit?.state ?? 'closed';
  }

  /** Undefined until the first call, and without a breaker. */
  get breaker(): Circuit | undefined {
    return this.circuit;
  }

  /** Calls that run and wait; undefined without a bulkhead. */
  get occupancy(): { readonly inUse: number; readonly queued: number } | undefined {
    if (this.bulkhead === undefined) return undefined;
    return { inUse: this.bulkhead.inUse, queued: this.bulkhead.queued };
  }

  /** Retries that the budget allows now; undefined without retries. */
  get retriesLeft(): number | undefined {
    return this.budget?.left;
  }

  /**
   * Makes a call under the policy.
   *
   * @throws CircuitOpenError, BulkheadFullError, CallTimedOutError, the reason of `signal`, or what the
   * last attempt has thrown
   */
  async execute<Result>(
    call: GuardedCall<Result>,
    options: ExecuteOptions<Result> = {},
  ): Promise<Result> {
    try {
      const result = await this.retrying(call, options);
      this.counts.calls.succeeded += 1;
      return result;
    } catch (error) {
      const isCancelled = options.signal?.aborted === true && error === options.signal.reason;
      this.counts.ended(error, isCancelled);
      if (options.fallback === undefined || isCancelled || !isReplaceable(error)) throw error;
      this.counts.fallbacks += 1;
      return options.fallback(error);
    }
  }

  /** Puts other limits in force. Calls under way keep theirs. */
  configure(overrides: PolicyOverrides | undefined): void {
    this.current = resolvePolicyLimits(this.parts.options, overrides);
    this.rebuild();
  }

  /** Holds the breaker open until `close`. False where there is none. */
  async open(): Promise<boolean> {
    if (this.current.circuit === undefined) return false;
    await this.ready();
    this.circuit?.isolate();
    return true;
  }

  /** Lets calls through again. False where there is no breaker. */
  close(): boolean {
    if (this.current.circuit === undefined) return false;
    this.circuit?.release();
    return true;
  }

  private async retrying<Result>(
    call: GuardedCall<Result>,
    options: ExecuteOptions<Result>,
  ): Promise<Result> {
    options.signal?.throwIfAborted();
    this.budget?.called();
    let backoff: Cockatiel.IBackoff<unknown> | undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt(call, attempt, options.signal);
      } catch (error) {
        const { retry } = this.current;
        if (retry === undefined || attempt > retry.retries || options.mayRetry === false)
          throw error;
        if (options.signal?.aborted === true || !this.isRetryable(error)) throw error;
        const { ExponentialBackoff } = await this.ready();
        backoff =
          backoff?.next(undefined) ??
          new ExponentialBackoff({
            initialDelay: retry.delayMs,
            maxDelay: retry.maxDelayMs,
          }).next();
        const waitMs = Math.max(backoff.duration, askedForMs(error));
        // Nothing is left of the time of the request, or the part wants to be left alone for longer.
        if (waitMs >= (this.parts.remainingMs() ?? Infinity) || waitMs > retry.maxDelayMs)
          throw error;
        if (this.budget?.take() === false) {
          this.counts.retriesDenied += 1;
          throw error;
        }
        this.counts.retries += 1;
        await pause(waitMs, options.signal);
      }
    }
  }

  private async attempt<Result>(
    call: GuardedCall<Result>,
    attempt: number,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    if (this.current.circuit !== undefined && this.circuit === undefined) await this.ready();
    this.refuseIfOpen();
    const { bulkhead } = this;
    if (bulkhead === undefined) return this.called(call, attempt, signal);
    if (!bulkhead.tryEnter()) {
      await this.queued(bulkhead, signal);
    }
    try {
      this.refuseIfOpen();
      return await this.called(call, attempt, signal);
    } finally {
      bulkhead.leave();
    }
  }

  /** Waits for a place as long as an attempt may take, and as the request has time. */
  private queued(bulkhead: Bulkhead, signal: AbortSignal | undefined): Promise<void> {
    const { timeoutMs } = this.current;
    const leftMs = this.parts.remainingMs() ?? Infinity;
    const turn = bulkhead.enqueue(Math.min(timeoutMs, leftMs), signal, () =>
      leftMs < timeoutMs
        ? new DeadlineExceededError(`a call of "${this.name}"`)
        : new BulkheadFullError(this.name),
    );
    if (turn === undefined) throw new BulkheadFullError(this.name);
    return turn;
  }

  private called<Result>(
    call: GuardedCall<Result>,
    attempt: number,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const { timeoutMs } = this.current;
    const leftMs = this.parts.remainingMs() ?? Infinity;
    const { name, circuit } = this;
    const ofPolicy = {
      ms: timeoutMs,
      makeError: () => new CallTimedOutError(name, timeoutMs),
      signal: undefined,
    };
    const isShort = leftMs < timeoutMs;
    const ofCaller = isShort
      ? { ms: leftMs, makeError: () => new DeadlineExceededError(`a call of "${name}"`), signal }
      : { ...ofPolicy, signal };
    const run = (limit: TimeLimit): Promise<Result> => {
      this.counts.attempts += 1;
      return withinTime(limit, (ofAttempt) => call(new CallContext(ofAttempt, attempt, limit.ms)));
    };
    if (circuit === undefined) return run(ofCaller);
    // A probe takes the time that it needs to show whether the part is well, also when who happened to
    // send it has none left: else impatient callers would hold the breaker open, or close it.
    const isOwnProbe = circuit.state === 'open' && (isShort || signal !== undefined);
    if (!isOwnProbe) return circuit.execute(() => run(ofCaller), signal);
    return withinTime(ofCaller, () => circuit.execute(() => run(ofPolicy)));
  }

  private refuseIfOpen(): void {
    const refusal = this.circuit?.refusal();
    if (refusal !== undefined) throw refusal;
  }

  private async ready(): Promise<typeof Cockatiel> {
    this.loading ??= this.parts.library();
    const library = await this.loading;
    if (this.current.circuit !== undefined) {
      this.circuit ??= new Circuit(library, {
        name: this.name,
        clock: this.parts.clock,
        limits: this.current.circuit,
        isFailure: this.isFailure,
        onOpen: () =>
          this.bulkhead?.refuseQueued(
            () => this.circuit?.refusal() ?? new CircuitOpenError(this.name, 0),
          ),
      });
    }
    return library;
  }

  private rebuild(): void {
    const { bulkhead, retry, circuit } = this.current;
    if (bulkhead === undefined) {
      this.bulkhead?.retire();
      this.bulkhead = undefined;
    } else if (this.bulkhead === undefined) this.bulkhead = new Bulkhead(bulkhead);
    else this.bulkhead.configure(bulkhead);
    if (retry === undefined) this.budget = undefined;
    else if (this.budget === undefined) this.budget = new RetryBudget(this.parts.clock, retry);
    else this.budget.configure(retry);
    if (circuit === undefined) {
      this.circuit?.retire();
      this.circuit = undefined;
    } else this.circuit?.configure(circuit);
  }
}

/** What a part asks for when it turns somebody away, as with `Retry-After`. */
function askedForMs(error: unknown): number {
  if (!isError(error) || !('retryAfterMs' in error)) return 0;
  return typeof error.retryAfterMs === 'number' ? error.retryAfterMs : 0;
}
