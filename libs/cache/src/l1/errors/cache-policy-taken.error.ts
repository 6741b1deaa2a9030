import { PantheonError } from '#libs/core';

/** A policy was to be registered under a name that is taken. */
export class CachePolicyTakenError extends PantheonError {
  constructor(readonly policy: string) {
    super(
      'CACHE_POLICY_TAKEN',
      `There is an eviction policy "${policy}" already. Register this one under another name.`,
      { kind: 'conflict' },
    );
  }
}
