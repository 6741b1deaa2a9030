import { Reflector } from '@nestjs/core';

/**
 * Honours `Idempotency-Key` on a handler that creates something: the first answer is kept for a
 * day per caller, route and key, and given again to a retry; another body under the same key is
 * refused with 422.
 */
export const Idempotent = Reflector.createDecorator<void>();
