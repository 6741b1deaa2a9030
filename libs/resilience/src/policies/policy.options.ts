import { z } from 'zod';

const milliseconds = (max: number) => z.number().int().min(1).max(max);

const retrySchema = z.strictObject({
  retries: z.number().int().min(0).max(10),
  delayMs: milliseconds(60_000),
  maxDelayMs: milliseconds(600_000),
  budgetPercent: z.number().min(0).max(100),
  budgetFloor: z.number().int().min(0).max(1_000),
  budgetWindowMs: milliseconds(600_000),
});
const circuitSchema = z.strictObject({
  failurePercent: z.number().gt(0).max(100),
  minimumCalls: z.number().int().min(1).max(100_000),
  windowMs: milliseconds(600_000),
  openMs: milliseconds(600_000),
  maxOpenMs: milliseconds(3_600_000),
});
const bulkheadSchema = z.strictObject({
  maxConcurrent: z.number().int().min(1).max(100_000),
  maxQueued: z.number().int().min(0).max(100_000),
});

/** What may be said of a policy while it runs; whatever is left out stays as the code says. */
export const policyOverridesSchema = z.strictObject({
  timeoutMs: milliseconds(3_600_000).optional(),
  retry: retrySchema.partial().optional(),
  circuit: circuitSchema.partial().optional(),
  bulkhead: bulkheadSchema.partial().optional(),
});

const limitsSchema = z.strictObject({
  timeoutMs: milliseconds(3_600_000),
  retry: retrySchema.optional(),
  circuit: circuitSchema.optional(),
  bulkhead: bulkheadSchema.optional(),
});

export type RetryLimits = z.infer<typeof retrySchema>;
export type CircuitLimits = z.infer<typeof circuitSchema>;
export type BulkheadLimits = z.infer<typeof bulkheadSchema>;
export type PolicyOverrides = z.infer<typeof policyOverridesSchema>;
/** The limits of a policy in force; a part that is undefined is not there. */
export type PolicyLimits = Readonly<z.infer<typeof limitsSchema>>;

/** How calls of one part are guarded. Every policy has a time-out and, unless told otherwise, a breaker. */
export interface PolicyOptions {
  /** Longest wait for one attempt. A request with less time left waits for that long. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Attempts after a failed one, for calls that may be repeated. Default none; of what is given, the
   * rest is: 2 retries, after about 50 ms (decorrelated jitter) up to 2,000 ms, never more than 10 % of
   * the calls of 10 s and 3 beside.
   */
  readonly retry?: Partial<RetryLimits>;
  /**
   * The breaker: opens when half of at least 10 calls within 10 s failed, for 5 s, and twice as long
   * after each probe that fails, up to 60 s. False for none.
   */
  readonly circuit?: Partial<CircuitLimits> | false;
  /** Calls that run at once, and that wait for their turn. Default no bound; of what is given: 10, 100. */
  readonly bulkhead?: Partial<BulkheadLimits>;
  /** Whether an error says that the part is ill. Default: see `isFailure` of failure.ts. */
  readonly isFailure?: (error: unknown) => boolean;
  /** Whether a call may go well the next time. Default: see `isTransient` of failure.ts. */
  readonly isRetryable?: (error: unknown) => boolean;
}

const RETRY: RetryLimits = {
  retries: 2,
  delayMs: 50,
  maxDelayMs: 2_000,
  budgetPercent: 10,
  budgetFloor: 3,
  budgetWindowMs: 10_000,
};
const CIRCUIT: CircuitLimits = {
  failurePercent: 50,
  minimumCalls: 10,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
};
const BULKHEAD: BulkheadLimits = { maxConcurrent: 10, maxQueued: 100 };

/** The limits that `options` give, with what is said of the policy in the settings on top. */
export function resolvePolicyLimits(
  options: PolicyOptions,
  overrides: PolicyOverrides = {},
): PolicyLimits {
  const { timeoutMs = 10_000, circuit = {} } = options;
  return limitsSchema.parse({
    timeoutMs: overrides.timeoutMs ?? timeoutMs,
    retry: joined(RETRY, options.retry, overrides.retry),
    circuit: joined(CIRCUIT, circuit === false ? undefined : circuit, overrides.circuit),
    bulkhead: joined(BULKHEAD, options.bulkhead, overrides.bulkhead),
  });
}

/** A part is there when the code or the settings name it. */
function joined<Part extends object>(
  defaults: Part,
  options: Partial<Part> | undefined,
  overrides: Partial<Part> | undefined,
): Part | undefined {
  if (options === undefined && overrides === undefined) return undefined;
  return { ...defaults, ...options, ...overrides };
}
