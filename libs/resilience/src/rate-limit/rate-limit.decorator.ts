import { SetMetadata } from '@nestjs/common';
import type { RateRule } from './rate-rule.js';

/** Under which `RateLimit` keeps its rules. */
export const RATE_RULES = 'pantheon:rate-limit';

/**
 * Limits the requests of a handler, or of each handler of a controller, beside the general limits of
 * the settings. All of the rules must let a request through.
 *
 *     @RateLimit({ by: 'user', capacity: 20, refillPerMinute: 60 })
 */
export function RateLimit(...rules: RateRule[]): ClassDecorator & MethodDecorator {
  return SetMetadata(RATE_RULES, rules) as ClassDecorator & MethodDecorator;
}
