import type { Clock } from '#libs/core';
import { CacheEncodeError } from '../errors/cache-codec.error.js';
import { CacheUnavailableError } from '../errors/cache-unavailable.error.js';
import { cacheFault } from '../statistics/cache.channels.js';
import type { TierCall } from './cache-tier.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { Deadline, Deadlines } from './deadlines.js';
import { LazySignal } from './lazy-signal.js';

export interface GateOptions {
  readonly clock: Clock;
  /** Longest wait for one call. Default 200. */
  readonly timeoutMs?: number;
  /** See `CircuitBreakerOptions`. */
  readonly breakerFailures?: number;
  readonly breakerOpenMs?: number;
}

/** The answer of a part, or that there is none. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  /** `isTried` is false where the breaker did not let the call through. */
  | { readonly ok: false; readonly isTried: boolean };

const REFUSED = { ok: false, isTried: false } as const;
const FAILED = { ok: false, isTried: true } as const;

/**
 * Gives every call of a part a time-out and a breaker, and turns failures into a reply: the cache
 * goes on without the part. What failed is published on the channel `pantheon.cache.fault`.
 */
export class Gate {
  readonly breaker: CircuitBreaker;
  timeoutMs: number;
  private readonly deadlines = new Deadlines();

  constructor(
    readonly part: string,
    options: GateOptions,
  ) {
    this.timeoutMs = options.timeoutMs ?? 200;
    this.breaker = new CircuitBreaker({
      part,
      clock: options.clock,
      ...(options.breakerFailures === undefined ? {} : { failures: options.breakerFailures }),
      ...(options.breakerOpenMs === undefined ? {} : { openMs: options.breakerOpenMs }),
    });
  }

  /** Whether calls are tried at all at present. */
  get isOpen(): boolean {
    return this.breaker.state === 'closed';
  }

  call<T>(operation: string, run: (call: TierCall) => Promise<T>): Promise<Reply<T>> {
    if (!this.breaker.allows()) return Promise.resolve(REFUSED);
    return new Promise((resolve) => {
      const { timeoutMs } = this;
      const fail = (error: unknown): void => {
        // A value that cannot be written says nothing about the part.
        if (error instanceof CacheEncodeError) this.breaker.succeeded();
        else this.breaker.failed();
        cacheFault.publish(() => ({ part: this.part, operation, error }));
        resolve(FAILED);
      };
      const wait = new Wait(performance.now() + timeoutMs, () => {
        fail(new CacheUnavailableError(this.part, `no answer within ${timeoutMs} ms`));
      });
      this.deadlines.add(wait);
      const succeed = (value: T): void => {
        if (!this.deadlines.delete(wait)) return;
        this.breaker.succeeded();
        resolve({ ok: true, value });
      };
      attempt(run, wait).then(succeed, (error: unknown) => {
        if (this.deadlines.delete(wait)) fail(error);
      });
    });
  }
}

/** One call while it is waited for. Its signal is made only for who asks: that costs a microsecond. */
class Wait extends Deadline implements TierCall {
  private readonly lazy = new LazySignal();

  constructor(
    atMs: number,
    private readonly onExpired: () => void,
  ) {
    super(atMs);
  }

  get signal(): AbortSignal {
    return this.lazy.signal;
  }

  expire(): void {
    this.onExpired();
    this.lazy.abort();
  }
}

function attempt<T>(run: (call: TierCall) => Promise<T>, call: TierCall): Promise<T> {
  try {
    return run(call);
  } catch (error) {
    return Promise.reject(error);
  }
}
