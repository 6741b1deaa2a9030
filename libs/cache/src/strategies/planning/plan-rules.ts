import type { StrategyConfiguration, StrategyType } from '../model/strategy.schemas.js';
import { weightOf } from '../simulation/simulator.js';
import type { WorkloadAnalysis } from '../workload/workload-analysis.js';

/** Why a part of a configuration is as it is, in words. */
export interface Reason {
  readonly of: string;
  readonly text: string;
}

interface Choice<Value> {
  readonly value: Value;
  readonly reason: Reason;
}

/** Entries that end sooner are hardly read from a shared level before. */
const SHORT_LIFE_MS = 2_000;
const LARGE_VALUE_BYTES = 256 * 1024;
/** A first level that answers less than this is not worth its room. */
const POOR_HIT_RATIO = 0.02;
/** Compression must leave less than this part. */
const PAYS_BELOW = 0.9;
const COMPRESS_FROM_BYTES = 1_024;
/** Reads that the keys of a warm-up should stand for. */
const WARM_SHARE = 0.5;
const MAX_WARM_KEYS = 1_000;
/** A working set of which less is read again is not worth warming. */
const PREFETCH_FROM_SHARE = 0.2;
const PREFETCH_CONFIDENCE = 0.5;

/** Where the entries should lie; what was asked for is never changed. */
export function typeFor(
  asked: StrategyType | undefined,
  analysis: WorkloadAnalysis,
  first: { readonly ttlMs: number; readonly maxBytes: number; readonly hitRatio: number },
): Choice<StrategyType> {
  const choose = (value: StrategyType, text: string) => ({ value, reason: { of: 'type', text } });
  if (asked !== undefined) return choose(asked, 'It was asked for.');
  const { bytes } = analysis;
  if (first.ttlMs < SHORT_LIFE_MS) {
    return choose(
      'memory',
      `Entries live ${first.ttlMs} ms: a shared level would hardly be read before they end.`,
    );
  }
  if (bytes.mean > LARGE_VALUE_BYTES && bytes.workingSet > first.maxBytes) {
    return choose(
      'disk',
      `A value has ${inBytes(bytes.mean)}, and all of them do not fit into ${inBytes(first.maxBytes)}.`,
    );
  }
  if (first.hitRatio < POOR_HIT_RATIO && analysis.reuseBytes !== null) {
    return choose(
      'distributed',
      `Memory would answer ${inPercent(first.hitRatio)} of the reads: between two reads of a key lie ${inBytes(analysis.reuseBytes.p50)} of others.`,
    );
  }
  return choose(
    'hybrid',
    'Memory answers the hot keys, and the levels below keep the others and outlive a restart.',
  );
}

/** From what size on entries are compressed outside the process. */
export function compressionFor(
  type: StrategyType,
  { compression }: WorkloadAnalysis,
): Choice<number | null> {
  const choose = (value: number | null, text: string) => ({
    value,
    reason: { of: 'compressFromBytes', text },
  });
  if (type === 'memory') return choose(null, 'Memory holds objects as they are.');
  if (compression === null || compression.rawBytes === 0) {
    return choose(2_048, 'There are no samples of values; entries keep the form that is smaller.');
  }
  const left = compression.storedBytes / compression.rawBytes;
  const measured = `${compression.samples} samples shrink to ${inPercent(left)}`;
  return left < PAYS_BELOW
    ? choose(COMPRESS_FROM_BYTES, `${measured}.`)
    : choose(null, `${measured}, which does not pay for the time.`);
}

/** The keys that are worth loading before they are asked for. */
export function warmUpFor(
  analysis: WorkloadAnalysis,
  maxBytes: number,
): Choice<StrategyConfiguration['warmUp']> {
  const choose = (topN: number, text: string) => ({
    value: { topN, keys: [], atStart: topN > 0, concurrency: 4 },
    reason: { of: 'warmUp', text },
  });
  const fitting = Math.floor(maxBytes / weightOf(analysis.bytes.mean) / 2);
  const most = Math.min(MAX_WARM_KEYS, fitting, analysis.distinctKeys);
  if (analysis.topShare.tenPercent < WARM_SHARE / 2 || most === 0) {
    return choose(0, 'No small part of the keys stands for many reads.');
  }
  const onePercent = Math.max(1, Math.round(analysis.distinctKeys * 0.01));
  const isSteep = analysis.topShare.onePercent >= WARM_SHARE;
  const part = isSteep ? onePercent : Math.max(1, Math.round(analysis.distinctKeys * 0.1));
  const share = isSteep ? analysis.topShare.onePercent : analysis.topShare.tenPercent;
  const topN = Math.min(most, part);
  return choose(
    topN,
    `The hottest ${part} keys stand for ${inPercent(share)} of the reads; ${topN} are loaded at the start.`,
  );
}

/** Whether the next keys should be loaded ahead. */
export function prefetchFor(analysis: WorkloadAnalysis): Choice<StrategyConfiguration['prefetch']> {
  const share = inPercent(analysis.predictableShare);
  const text = `${share} of the reads follow from the key before them at least every second time`;
  if (analysis.predictableShare < PREFETCH_FROM_SHARE) {
    return { value: null, reason: { of: 'prefetch', text: `${text}: too few.` } };
  }
  const maxPerSecond = Math.min(1_000, Math.max(1, Math.ceil(analysis.readsPerSecond / 5)));
  return {
    value: { minConfidence: PREFETCH_CONFIDENCE, maxPerSecond },
    reason: { of: 'prefetch', text: `${text}.` },
  };
}

export function inPercent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

export function inBytes(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${Math.round(bytes)} bytes`;
}
