import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { weightOf } from '../simulation/simulator.js';
import { keyPatternsOf } from './key-patterns.js';
import { reuseCurveOf } from './reuse-distance.js';
import { predictableShareOf } from './successors.js';
import type { WorkloadAnalysis } from './workload-analysis.js';
import { mean, type Workload } from './workload.js';
import { zipfExponentOf } from './zipf-fit.js';

const HOT_KEYS = 20;
const SIZES = 12;
const MAX_PATTERN_KEYS = 20_000;
const HOUR_MS = 3_600_000;
const compress = promisify(deflateRaw) as (
  bytes: Buffer,
  options: { level: number },
) => Promise<Buffer>;

/** Looks at a workload: how often keys are read, how skewed, how large, how changeable. */
@Injectable()
export class WorkloadAnalyser {
  /** `maxBytes` is the largest size that is of interest; `samples` are values as they are cached. */
  async analyse(
    workload: Workload,
    maxBytes: number,
    samples: readonly unknown[] = [],
    signal?: AbortSignal,
  ): Promise<WorkloadAnalysis> {
    const { reads, keys, bytes, timesMs } = workload;
    const counts = new Float64Array(keys.length);
    for (const key of reads) counts[key] = (counts[key] as number) + 1;
    const order = Array.from(keys.keys()).sort(
      (a, b) => (counts[b] as number) - (counts[a] as number),
    );
    const descending = order.map((key) => counts[key] as number);
    const curve = await reuseCurveOf(workload, signal);
    const spanMs = reads.length === 0 ? 0 : (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
    const sizes = Float64Array.from(bytes).sort();
    const isReused = curve.first < curve.reads;
    return {
      reads: reads.length,
      distinctKeys: keys.length,
      spanMs,
      readsPerSecond: spanMs === 0 ? 0 : (reads.length / spanMs) * 1_000,
      onceShare: descending.filter((count) => count === 1).length / Math.max(1, keys.length),
      topShare: {
        onePercent: topShare(descending, 0.01, reads.length),
        tenPercent: topShare(descending, 0.1, reads.length),
      },
      zipfExponent: zipfExponentOf(descending),
      bytes: {
        isMeasured: workload.hasSizes,
        mean: mean([...bytes]),
        p50: quantile(sizes, 0.5),
        p99: quantile(sizes, 0.99),
        workingSet: bytes.reduce((sum, size) => sum + weightOf(size), 0),
      },
      reuseBytes: isReused
        ? { p50: curve.quantile(0.5), p90: curve.quantile(0.9), p99: curve.quantile(0.99) }
        : null,
      hitRatioBySize: sizesUpTo(maxBytes).map((size) => ({
        maxBytes: size,
        hitRatio: curve.hitRatioAt(size),
      })),
      interArrivalMs: interArrivalOf(workload),
      changes: changesOf(workload),
      predictableShare: predictableShareOf(workload),
      compression: await compressionOf(samples),
      keyPatterns: keyPatternsOf(
        order.slice(0, MAX_PATTERN_KEYS).map((key) => ({
          key: keys[key] as string,
          reads: counts[key] as number,
          bytes: bytes[key] as number,
        })),
      ),
      hotKeys: order
        .slice(0, HOT_KEYS)
        .map((key) => ({ key: keys[key] as string, reads: counts[key] as number })),
    };
  }
}

/** Sizes from a thousandth of the largest on, each larger than the one before by the same factor. */
function sizesUpTo(maxBytes: number): number[] {
  return Array.from({ length: SIZES }, (_, step) =>
    Math.round(maxBytes * 2 ** -(SIZES - 1 - step)),
  ).filter((size) => size > 0);
}

function topShare(descending: readonly number[], part: number, reads: number): number {
  const top = Math.max(1, Math.round(descending.length * part));
  const sum = descending.slice(0, top).reduce((total, count) => total + count, 0);
  return reads === 0 ? 0 : sum / reads;
}

function interArrivalOf({ reads, timesMs, keys }: Workload): WorkloadAnalysis['interArrivalMs'] {
  const last = new Float64Array(keys.length).fill(Number.NaN);
  const gaps: number[] = [];
  for (const [at, key] of reads.entries()) {
    const nowMs = timesMs[at] as number;
    const before = last[key] as number;
    if (!Number.isNaN(before)) gaps.push(nowMs - before);
    last[key] = nowMs;
  }
  if (gaps.length === 0) return null;
  const sorted = Float64Array.from(gaps).sort();
  return { p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), p99: quantile(sorted, 0.99) };
}

function changesOf({ reads, timesMs, versions, keys }: Workload): WorkloadAnalysis['changes'] {
  if (versions === undefined) return null;
  const last = new Int32Array(keys.length).fill(-1);
  const firstMs = new Float64Array(keys.length);
  const changed = new Uint8Array(keys.length);
  let changes = 0;
  let watchedMs = 0;
  for (const [at, key] of reads.entries()) {
    const version = versions[at] as number;
    const nowMs = timesMs[at] as number;
    if ((last[key] as number) >= 0) {
      watchedMs += nowMs - (firstMs[key] as number);
      if (last[key] !== version) {
        changes += 1;
        changed[key] = 1;
      }
    }
    last[key] = version;
    firstMs[key] = nowMs;
  }
  return {
    perKeyAndHour: watchedMs === 0 ? 0 : (changes / watchedMs) * HOUR_MS,
    changedShare: changed.reduce((sum, one) => sum + one, 0) / Math.max(1, keys.length),
  };
}

async function compressionOf(
  samples: readonly unknown[],
): Promise<WorkloadAnalysis['compression']> {
  let rawBytes = 0;
  let storedBytes = 0;
  for (const sample of samples) {
    const text = JSON.stringify(sample);
    if (text === undefined) continue;
    const raw = Buffer.from(text);
    const packed = await compress(raw, { level: 1 });
    rawBytes += raw.length;
    storedBytes += Math.min(raw.length, packed.length);
  }
  return samples.length === 0 ? null : { samples: samples.length, rawBytes, storedBytes };
}

function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
