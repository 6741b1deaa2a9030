import { mix32 } from '../simulation/mix32.js';

/** One read of a key, as it was recorded. */
export interface Access {
  readonly key: string;
  /** Milliseconds since the Unix epoch, or since the start of a trace. */
  readonly atMs: number;
  /** Bytes of the value on the heap, if they are known. */
  readonly bytes?: number | undefined;
  /** Anything that is equal as long as the value at its source is, if it is known. */
  readonly version?: string | number | undefined;
}

/** Bytes that a value is taken to have when nobody knows. */
const UNKNOWN_BYTES = 1024;

/**
 * Reads of a cache in columns, so that a simulation touches numbers only. Keys are numbered from 0
 * in the order of their first read.
 */
export interface Workload {
  /** Number of the key of each read, in the order of time. */
  readonly reads: Uint32Array;
  readonly timesMs: Float64Array;
  /** Version that the source had at each read, numbered within its key; absent if nobody knows. */
  readonly versions: Uint32Array | undefined;
  readonly keys: readonly string[];
  /** Bytes of each key's value, the last that were seen. */
  readonly bytes: Float64Array;
  /** Whether any size was recorded, and not assumed. */
  readonly hasSizes: boolean;
}

/** Puts accesses into columns, ordered by time. */
export function workloadOf(accesses: readonly Access[]): Workload {
  const ordered = isOrdered(accesses) ? accesses : [...accesses].sort((a, b) => a.atMs - b.atMs);
  const numbers = new Map<string, number>();
  const reads = new Uint32Array(ordered.length);
  const timesMs = new Float64Array(ordered.length);
  const versions = new Uint32Array(ordered.length);
  const versionsOfKey: Map<string | number, number>[] = [];
  const bytes: number[] = [];
  let hasSizes = false;
  let hasVersions = ordered.length > 0;
  for (const [at, access] of ordered.entries()) {
    let number = numbers.get(access.key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(access.key, number);
      bytes.push(Number.NaN);
    }
    reads[at] = number;
    timesMs[at] = access.atMs;
    if (access.bytes !== undefined) {
      bytes[number] = access.bytes;
      hasSizes = true;
    }
    if (access.version === undefined) hasVersions = false;
    else versions[at] = numberOf(access.version, (versionsOfKey[number] ??= new Map()));
  }
  const known = bytes.filter((size) => !Number.isNaN(size));
  const usual = known.length === 0 ? UNKNOWN_BYTES : mean(known);
  return {
    reads,
    timesMs,
    versions: hasVersions ? versions : undefined,
    keys: [...numbers.keys()],
    bytes: Float64Array.from(bytes, (size) => (Number.isNaN(size) ? usual : size)),
    hasSizes,
  };
}

/** The reads of a part of the keys, chosen by hash: what a cache of that part of the room sees. */
export function sampled(workload: Workload, rate: number): Workload {
  if (rate >= 1) return workload;
  const limit = rate * 2 ** 32;
  const chosen = workload.reads.reduce((sum, key) => sum + (mix32(key) < limit ? 1 : 0), 0);
  const reads = new Uint32Array(chosen);
  const timesMs = new Float64Array(chosen);
  const versions = workload.versions === undefined ? undefined : new Uint32Array(chosen);
  let next = 0;
  for (const [at, key] of workload.reads.entries()) {
    if (mix32(key) >= limit) continue;
    reads[next] = key;
    timesMs[next] = workload.timesMs[at] as number;
    if (versions !== undefined) versions[next] = workload.versions?.[at] as number;
    next += 1;
  }
  return { ...workload, reads, timesMs, versions };
}

function numberOf(version: string | number, known: Map<string | number, number>): number {
  let number = known.get(version);
  if (number === undefined) {
    number = known.size;
    known.set(version, number);
  }
  return number;
}

function isOrdered(accesses: readonly Access[]): boolean {
  for (let at = 1; at < accesses.length; at += 1) {
    if ((accesses[at] as Access).atMs < (accesses[at - 1] as Access).atMs) return false;
  }
  return true;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
