import { PantheonError } from '#libs/core';

/** The part behind a policy has failed too often and is left alone; nothing was called. */
export class CircuitOpenError extends PantheonError {
  constructor(
    readonly policy: string,
    waitMs: number,
  ) {
    super('CIRCUIT_OPEN', `"${policy}" does not answer and is left alone for now; try again.`, {
      kind: 'unavailable',
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
    });
  }
}

/** As many calls run and wait as the policy allows; nothing was called. */
export class BulkheadFullError extends PantheonError {
  constructor(readonly policy: string) {
    super('BULKHEAD_FULL', `Too many calls of "${policy}" are under way; try again.`, {
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
  }
}

/** No answer in time. What was called may have been done all the same. */
export class CallTimedOutError extends PantheonError {
  constructor(
    readonly policy: string,
    readonly afterMs: number,
  ) {
    super('CALL_TIMED_OUT', `"${policy}" did not answer within ${Math.round(afterMs)} ms.`, {
      kind: 'timeout',
      retryAfterSeconds: 1,
    });
  }
}

/** There is no breaker of this name. */
export class BreakerNotFoundError extends PantheonError {
  constructor(name: string) {
    super('BREAKER_NOT_FOUND', `There is no breaker "${name}".`, { kind: 'not-found' });
  }
}

/** The breaker belongs to a part that opens and closes it by itself. */
export class BreakerNotOperableError extends PantheonError {
  constructor(name: string) {
    super('BREAKER_NOT_OPERABLE', `The breaker "${name}" cannot be opened or closed by hand.`, {
      kind: 'conflict',
    });
  }
}

/** Decorators that make no sense; the message says all that is wrong. */
export class ResilientDecoratorError extends PantheonError {
  constructor(readonly problems: readonly string[]) {
    super('RESILIENT_DECORATOR_INVALID', problems.join('\n'), { kind: 'internal' });
  }
}
