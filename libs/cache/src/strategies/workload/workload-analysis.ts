import { z } from 'zod';

const share = z.number().min(0).max(1);

/** What is seen in a workload. */
export const workloadAnalysisSchema = z.strictObject({
  reads: z.number().int(),
  distinctKeys: z.number().int(),
  spanMs: z.number(),
  readsPerSecond: z.number(),
  /** Part of the keys that are read once. */
  onceShare: share,
  /** Part of the reads that go to the hottest keys. */
  topShare: z.strictObject({ onePercent: share, tenPercent: share }),
  /** Exponent of the Zipf law that fits; 0 where all keys are read alike. */
  zipfExponent: z.number(),
  /** Bytes of values. */
  bytes: z.strictObject({
    isMeasured: z.boolean(),
    mean: z.number(),
    p50: z.number(),
    p99: z.number(),
    /** Of all keys, with what a cache adds to each. */
    workingSet: z.number(),
  }),
  /** Bytes of other keys that are read between two reads of a key; null when none is read twice. */
  reuseBytes: z.strictObject({ p50: z.number(), p90: z.number(), p99: z.number() }).nullable(),
  /** Hit ratio of an LRU cache by its size. */
  hitRatioBySize: z.array(z.strictObject({ maxBytes: z.number(), hitRatio: share })),
  /** Time between two reads of a key; null when none is read twice. */
  interArrivalMs: z.strictObject({ p50: z.number(), p90: z.number(), p99: z.number() }).nullable(),
  /** Null when nobody knows. */
  changes: z
    .strictObject({
      perKeyAndHour: z.number(),
      /** Part of the keys that changed at all. */
      changedShare: share,
    })
    .nullable(),
  /** Reads whose key follows the one before it at least every second time. */
  predictableShare: share,
  /** Null without samples of values. */
  compression: z
    .strictObject({ samples: z.number().int(), rawBytes: z.number(), storedBytes: z.number() })
    .nullable(),
  keyPatterns: z.array(
    z.strictObject({
      pattern: z.string(),
      share,
      keys: z.number().int(),
      meanBytes: z.number(),
    }),
  ),
  hotKeys: z.array(z.strictObject({ key: z.string(), reads: z.number().int() })),
});

export type WorkloadAnalysis = z.output<typeof workloadAnalysisSchema>;
