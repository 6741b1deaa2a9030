import { Reflector } from '@nestjs/core';

export interface IdempotentOptions {
  /**
   * Fields of the answer that nobody may see a second time, such as a key: a retry finds null there,
   * and they are not kept.
   */
  readonly shownOnce?: readonly string[];
}

/**
 * Honours `Idempotency-Key` on a handler that creates something: the first answer is kept for a
 * day per caller, route and key, and given again to a retry; another body under the same key is
 * refused with 422.
 */
export const Idempotent = Reflector.createDecorator<IdempotentOptions | void>();
