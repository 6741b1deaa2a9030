/** Versions as they stand at one moment. */
export interface VersionRead {
  /** In the order of the names. */
  readonly versions: number[];
  /**
   * The store's clock: a version that is at most this was given out before the read. It moves with
   * every `bump` of any name.
   */
  readonly now: number;
}

/**
 * The authority on versions of tags, namespaces and the cache as a whole. An entry remembers the
 * versions from before its value was loaded, and is valid while they stand: invalidating a name is
 * one `bump`, however many entries have it.
 *
 * Versions are numbers of one clock that never repeats, also when the store loses its data. A name
 * that is not known takes the present time of that clock, so a store may forget names.
 */
export abstract class VersionStore {
  abstract readonly name: string;

  /** Rejects when the store does not answer, as `bump` does. */
  abstract read(names: readonly string[]): Promise<VersionRead>;

  /** Gives each name a version that is higher than any before, and returns them in order. */
  abstract bump(names: readonly string[]): Promise<number[]>;
}
