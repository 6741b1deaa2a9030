import { PantheonError } from '#libs/core';

export class StrategyNotFoundError extends PantheonError {
  constructor(readonly strategy: string) {
    super('CACHE_STRATEGY_NOT_FOUND', `There is no cache strategy "${strategy}".`, {
      kind: 'not-found',
    });
  }
}

export class StrategyNameTakenError extends PantheonError {
  constructor(readonly strategy: string) {
    super(
      'CACHE_STRATEGY_NAME_TAKEN',
      `There is a cache strategy "${strategy}" already; choose another name.`,
      { kind: 'conflict' },
    );
  }
}

/** Somebody else has changed the strategy since it was read. */
export class StrategyChangedError extends PantheonError {
  constructor(
    readonly strategy: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(
      'CACHE_STRATEGY_CHANGED',
      `The cache strategy "${strategy}" has version ${actual}, not ${expected}: read it again and repeat the change.`,
      { kind: 'conflict' },
    );
  }
}

/** The strategy is switched off, or being optimised. */
export class StrategyStatusError extends PantheonError {
  constructor(
    readonly strategy: string,
    readonly status: string,
    what: string,
  ) {
    super('CACHE_STRATEGY_STATUS', `The cache strategy "${strategy}" is ${status}: ${what}`, {
      kind: 'conflict',
    });
  }
}

export class TooManyStrategiesError extends PantheonError {
  constructor(readonly limit: number) {
    super(
      'CACHE_STRATEGIES_EXHAUSTED',
      `There are ${limit} cache strategies already (cache.maxStrategies); delete one.`,
      { kind: 'conflict' },
    );
  }
}

/** The levels that a strategy needs are not there. */
export class StrategyLevelMissingError extends PantheonError {
  constructor(
    readonly type: string,
    remedy: string,
  ) {
    super('CACHE_STRATEGY_LEVEL_MISSING', `A strategy of type ${type} needs ${remedy}.`, {
      kind: 'unprocessable',
    });
  }
}

/** Neither a configuration nor a workload to make one from was given. */
export class StrategyUndefinedError extends PantheonError {
  constructor() {
    const message = 'Give a configuration, or a workload to make one from';
    super('CACHE_STRATEGY_UNDEFINED', `${message}.`, {
      kind: 'invalid',
      faults: [{ path: 'body.workload', code: 'CACHE_STRATEGY_UNDEFINED', message }],
    });
  }
}

export class StrategyEntryNotFoundError extends PantheonError {
  constructor(readonly key: string) {
    super('CACHE_STRATEGY_ENTRY_NOT_FOUND', `There is no fresh entry "${key}".`, {
      kind: 'not-found',
    });
  }
}

/** There is too little to analyse. */
export class WorkloadTooSmallError extends PantheonError {
  constructor(reads: number, least: number, where: string) {
    super(
      'CACHE_WORKLOAD_TOO_SMALL',
      `${where} has ${reads} reads; an analysis needs at least ${least}.`,
      { kind: 'unprocessable' },
    );
  }
}

/** No method of the strategy says how its keys are loaded. */
export class StrategyNotWarmableError extends PantheonError {
  constructor(readonly strategy: string) {
    super(
      'CACHE_STRATEGY_NOT_WARMABLE',
      `No method with @WarmUp has the strategy "${strategy}", so nobody knows how to load its keys.`,
      { kind: 'unprocessable' },
    );
  }
}
