import { PantheonError } from '#libs/core';

/** A policy was asked for by a name that nobody registered. */
export class CachePolicyUnknownError extends PantheonError {
  constructor(
    readonly policy: string,
    readonly known: readonly string[],
  ) {
    super(
      'CACHE_POLICY_UNKNOWN',
      `There is no eviction policy "${policy}". Take one of ${known.join(', ')}, or register it first.`,
      { kind: 'invalid' },
    );
  }
}
