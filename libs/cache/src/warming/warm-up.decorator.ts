import { Reflector } from '@nestjs/core';
import type { WarmUpOptions } from './warm-up.options.js';

/** What `@WarmUp` records on a method. */
export const WarmUpMetadata = Reflector.createDecorator<WarmUpOptions>();

/**
 * Fills the cache of a method with `@Cacheable` before anybody asks: at start, on a schedule, before
 * the peaks of the day. It runs as a job, so it shows in `GET /v1/jobs`, and one process does it for
 * all. One key that fails does not keep the others from being loaded.
 */
export function WarmUp<Provider = never>(options: WarmUpOptions<Provider>): MethodDecorator {
  return WarmUpMetadata(options);
}
