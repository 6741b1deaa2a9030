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

/**
 * The policies of the rules of a route, each with a budget of its own: the first for users is named
 * "<route> by user", one beside it "<route> by user 2".
 *
 * @throws z.ZodError when a rule is none
 */
export function policiesOf(
  rules: readonly z.input<typeof rateRuleSchema>[],
  route: string,
): RatePolicy[] {
  const counts = new Map<string, number>();
  return rules.map((rule) => {
    const { name = route, by, capacity, ...refills } = rateRuleSchema.parse(rule);
    const refillName = REFILLS.find((one) => refills[one] !== undefined) ?? 'refillPerSecond';
    const refill = refills[refillName] ?? 1;
    const whose = `${name} by ${by}`;
    const count = (counts.get(whose) ?? 0) + 1;
    counts.set(whose, count);
    return new RatePolicy({
      name: count === 1 ? whose : `${whose} ${count}`,
      by,
      capacity,
      refill,
      periodMs: PERIODS_MS[refillName],
    });
  });
}

/** The policies by name, and the names for which there are two that differ. */
export function policiesByName(policies: readonly RatePolicy[]): {
  readonly known: ReadonlyMap<string, RatePolicy>;
  readonly ambiguous: ReadonlySet<string>;
} {
  const known = new Map<string, RatePolicy>();
  const ambiguous = new Set<string>();
  for (const policy of policies) {
    const other = known.get(policy.name);
    if (other === undefined) known.set(policy.name, policy);
    else if (!other.equals(policy)) ambiguous.add(policy.name);
  }
  return { known, ambiguous };
}
