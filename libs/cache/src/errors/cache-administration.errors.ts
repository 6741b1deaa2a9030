import { PantheonError } from '#libs/core';

/** There is no such level in this process. */
export class CacheLevelUnknownError extends PantheonError {
  constructor(readonly level: string) {
    super('CACHE_LEVEL_UNKNOWN', `This cache has no level ${level}; GET /v1/perf/cache/levels.`, {
      kind: 'not-found',
    });
  }
}

/** A field of a level is not ours to change, such as the memory of Redis. */
export class CacheLevelFixedError extends PantheonError {
  constructor(level: string, fields: readonly string[]) {
    const faults = fields.map((field) => ({
      path: `body.${field}`,
      code: 'CACHE_LEVEL_FIXED',
      message: `Cannot be changed of ${level}`,
    }));
    super('CACHE_LEVEL_FIXED', 'Nothing was changed; see errors.', { kind: 'invalid', faults });
  }
}

/** No namespace of this name is open in this process. */
export class CacheNamespaceUnknownError extends PantheonError {
  constructor(readonly namespace: string) {
    super(
      'CACHE_NAMESPACE_UNKNOWN',
      'This process has no such namespace open; GET /v1/perf/cache/namespaces.',
      { kind: 'not-found' },
    );
  }
}

/** A value may not be shown to this caller, or to nobody. */
export class CacheValueForbiddenError extends PantheonError {
  constructor(reason: string) {
    super('CACHE_VALUE_FORBIDDEN', `The value is not shown: ${reason}.`, { kind: 'forbidden' });
  }
}
