import { PantheonError } from '#libs/core';

/** A major of Keyv is installed with which caches would miss on every read, silently. */
export class KeyvIncompatibleError extends PantheonError {
  constructor(readonly version: string) {
    super(
      'CACHE_KEYV_INCOMPATIBLE',
      `Keyv ${version} is installed, and the cache works with Keyv 5 only: run "npm i keyv@5.6.0 --save-exact".`,
      { kind: 'internal' },
    );
  }
}
