import { TimeSlices } from '../simulation/time-slices.js';
import { weightOf } from '../simulation/simulator.js';
import type { Workload } from './workload.js';

/** How many bytes of other keys were read between two reads of a key, by size in steps of 4 %. */
export interface ReuseCurve {
  /** Reads of keys that had not been read before. */
  readonly first: number;
  readonly reads: number;
  /** Part of all reads that a LRU cache of so many bytes answers. */
  hitRatioAt(bytes: number): number;
  /** Bytes below which this part of the re-reads lie. */
  quantile(part: number): number;
}

const STEPS_PER_DOUBLING = 16;
const BINS = 800;
const READS_PER_LOOK = 1_024;

/**
 * Reuse distances in bytes, exactly, with a Fenwick tree over the times of last use (Mattson et al.,
 * IBM Systems Journal 1970; Olken, 1981): n log n for n reads.
 */
export async function reuseCurveOf(workload: Workload, signal?: AbortSignal): Promise<ReuseCurve> {
  const { reads, keys, bytes } = workload;
  const tree = new Float64Array(reads.length + 1);
  const lastUse = new Int32Array(keys.length).fill(-1);
  const bins = new Float64Array(BINS);
  const slices = new TimeSlices();
  let first = 0;
  let held = 0;
  for (let at = 0; at < reads.length; at += 1) {
    if (at % READS_PER_LOOK === 0 && slices.isOver) {
      await slices.pause();
      signal?.throwIfAborted();
    }
    const key = reads[at] as number;
    const weight = weightOf(bytes[key] as number);
    const last = lastUse[key] as number;
    if (last < 0) {
      first += 1;
      held += weight;
    } else {
      // What was used after the last use of this key, and the key itself.
      const distance = held - sumUpTo(tree, last);
      const bin = binOf(distance + weight);
      bins[bin] = (bins[bin] as number) + 1;
      add(tree, last, -weight);
    }
    add(tree, at, weight);
    lastUse[key] = at;
  }
  return {
    first,
    reads: reads.length,
    hitRatioAt(size) {
      if (reads.length === 0) return 0;
      const last = binOf(size);
      let hits = 0;
      for (let bin = 0; bin < last; bin += 1) hits += bins[bin] as number;
      return hits / reads.length;
    },
    quantile(part) {
      const aim = (reads.length - first) * part;
      let sum = 0;
      for (const [bin, count] of bins.entries()) {
        sum += count;
        if (count > 0 && sum >= aim) return upperBytesOf(bin);
      }
      return 0;
    },
  };
}

function binOf(bytes: number): number {
  return Math.min(BINS - 1, Math.floor(Math.log2(Math.max(1, bytes)) * STEPS_PER_DOUBLING));
}

function upperBytesOf(bin: number): number {
  return Math.ceil(2 ** ((bin + 1) / STEPS_PER_DOUBLING));
}

function add(tree: Float64Array, index: number, value: number): void {
  for (let at = index + 1; at < tree.length; at += at & -at) {
    tree[at] = (tree[at] as number) + value;
  }
}

/** The sum of the places up to and with `index`. */
function sumUpTo(tree: Float64Array, index: number): number {
  let sum = 0;
  for (let at = index + 1; at > 0; at -= at & -at) sum += tree[at] as number;
  return sum;
}
