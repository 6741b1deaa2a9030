/** Options of `@WarmUp`: what is loaded, and when. */
export interface WarmUpOptions<Provider = never> {
  /**
   * Calls that fill the cache, or a function of the provider that gives them, such as one for each
   * entity. A call is the list of its arguments; one argument that is no list may stand alone.
   */
  readonly keys?:
    readonly unknown[] | ((provider: Provider) => readonly unknown[] | Promise<readonly unknown[]>);
  /** So many of the keys that were read most, before the last start too. */
  readonly topN?: number;
  /** When: a cron pattern of five or six fields. */
  readonly cron?: string;
  /** Of `cron`. Default UTC. */
  readonly timezone?: string;
  /** When: so often. */
  readonly everyMs?: number;
  /** When a process starts, and so after a deployment. Default true without `cron` and `everyMs`. */
  readonly atStart?: boolean;
  /** Before the hours of the day in which reads usually rise. Default false. */
  readonly beforePeaks?: boolean;
  /** Keys that are loaded at once; never more than the pool of connections has to spare. Default 4. */
  readonly concurrency?: number;
}

/** Of `keys`: the arguments of a call. */
export function argumentsOf(call: unknown): readonly unknown[] {
  return Array.isArray(call) ? call : [call];
}
