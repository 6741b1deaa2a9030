import { z } from 'zod';
import { RatePolicy } from './gcra/rate-policy.js';

const PERIODS_MS = { refillPerSecond: 1_000, refillPerMinute: 60_000, refillPerHour: 3_600_000 };
type Refill = keyof typeof PERIODS_MS;
const REFILLS = Object.keys(PERIODS_MS) as Refill[];

const amount = z.number().int().min(1).max(1_000_000);

/** A limit of a route, as settings and decorators state it. */
export const rateRuleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w .:/{}*-]{1,100}$/)
      .optional(),
    by: z.enum(['user', 'key', 'address', 'organization']),
    capacity: amount,
    refillPerSecond: amount.optional(),
    refillPerMinute: amount.optional(),
    refillPerHour: amount.optional(),
  })
  .refine((rule) => REFILLS.filter((name) => rule[name] !== undefined).length === 1, {
    message: `give one of ${REFILLS.join(', ')}`,
  });

type One<Name extends Refill> = { readonly [Key in Name]: number } & {
  readonly [Key in Exclude<Refill, Name>]?: never;
};

/** At most `capacity` requests at once, of which so many come back in a period, evenly spread. */
export type RateRule = {
  /** Routes with the same one share a budget. Default: the route. */
  readonly name?: string;
  /** Who has a budget: requests that come without it are not limited by this rule. */
  readonly by: 'user' | 'key' | 'address' | 'organization';
  readonly capacity: number;
} & (One<'refillPerSecond'> | One<'refillPerMinute'> | One<'refillPerHour'>);

/** @throws z.ZodError when the rule is none */
export function toPolicy(rule: RateRule, route: string): RatePolicy {
  const parsed = rateRuleSchema.parse(rule);
  const { by, capacity } = parsed;
  const name = parsed.name ?? route;
  const refillName = REFILLS.find((one) => parsed[one] !== undefined) ?? 'refillPerSecond';
  const refill = parsed[refillName] ?? 1;
  return new RatePolicy({
    name: `${name} by ${by}`,
    by,
    capacity,
    refill,
    periodMs: PERIODS_MS[refillName],
  });
}
