import { PantheonError } from '#libs/core';

/** A request with `only-if-cached` found nothing stored (RFC 9111, 5.2.1.7). */
export class ResponseNotCachedError extends PantheonError {
  constructor() {
    super(
      'CACHE_RESPONSE_NOT_STORED',
      'No stored response fits, and the request wants no other (only-if-cached).',
      { kind: 'timeout' },
    );
  }
}
