/** A key with the arguments that it came from, both as the cache got them. */
export interface HotKeyRecipe {
  readonly key: string;
  readonly args: readonly unknown[];
}

/** A recipe, and how often its key was read since it was stored last. */
export interface HotKeyReads extends HotKeyRecipe {
  readonly reads: number;
}

/** Reads of a namespace within an hour. */
export interface HourReads {
  /** Beginning of the hour. */
  readonly hourMs: number;
  readonly reads: number;
}

/** Remembers across starts what was read, for all processes together. */
export abstract class HotSetStore {
  /** Adds reads; of a namespace the `keep` most read keys stay. */
  abstract addKeys(namespace: string, keys: readonly HotKeyReads[], keep: number): Promise<void>;

  /** The keys that were read most of late. */
  abstract top(namespace: string, limit: number): Promise<readonly HotKeyRecipe[]>;

  abstract addHours(namespace: string, hours: readonly HourReads[]): Promise<void>;

  /** Reads by hour of the last weeks. */
  abstract hours(namespace: string): Promise<readonly HourReads[]>;

  /** Stores what a program runs as; whether that was something else before, or nothing. */
  abstract deploy(program: string, version: string): Promise<boolean>;
}
