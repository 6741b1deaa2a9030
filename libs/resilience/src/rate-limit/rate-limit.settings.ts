import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';
import type { RatePolicy } from './gcra/rate-policy.js';
import { policiesByName, policiesOf, rateRuleSchema } from './rate-rule.js';

/** More than one process answers on a good day: what is sensible for a client, only its operator knows. */
const GENERAL_PER_SECOND = 50_000;
const GENERAL_CAPACITY = 100_000;
const MAX = 1_000_000;

const capacity = (of: string, fallback = GENERAL_CAPACITY) =>
  z
    .number()
    .int()
    .min(0)
    .max(MAX)
    .default(fallback)
    .meta({ live: true, description: `Most requests at once ${of}; 0 for no limit` });

const perSecond = (of: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(MAX)
    .default(GENERAL_PER_SECOND)
    .meta({ live: true, description: `Requests that come back each second ${of}` });

/** The policies of rules by their routes. */
export function policiesOfRoutes(
  routes: Readonly<Record<string, Parameters<typeof policiesOf>[0]>>,
): RatePolicy[] {
  return Object.entries(routes).flatMap(([route, rules]) => policiesOf(rules, route));
}

/** Settings of the rate limits. */
export const rateLimitSettings = defineSettings('rateLimit', {
  enabled: z.boolean().default(true).meta({
    live: true,
    description: 'Whether requests are limited by rate at all',
  }),
  store: z.enum(['auto', 'memory', 'postgres', 'redis']).default('auto').meta({
    description:
      'Where processes share their budgets; auto: Redis if there is one, else the PostgreSQL of DATABASE_URL, else the memory of the process',
  }),
  userCapacity: capacity('for one user'),
  userPerSecond: perSecond('to one user'),
  keyCapacity: capacity('for one API key'),
  keyPerSecond: perSecond('to one API key'),
  addressCapacity: capacity('from one address (IPv6: one /64)'),
  addressPerSecond: perSecond('to one address'),
  organizationCapacity: capacity('for all users of one organization', 0),
  organizationPerSecond: perSecond('to one organization'),
  routes: z
    .record(
      z.string().regex(/^[A-Z]+ \/\S*$/, 'must be a method and a route'),
      z.array(rateRuleSchema),
    )
    .refine((routes) => policiesByName(policiesOfRoutes(routes)).ambiguous.size === 0, {
      message: 'rules of one name and kind must have the same numbers on all routes',
      when: ({ issues }) => issues.length === 0,
    })
    .default({})
    .meta({
      live: true,
      description:
        'Limits of single routes, such as {"POST /v1/auth/login": [{"by": "address", "capacity": 20, "refillPerMinute": 60}]}, in place of those in the code; [] for none; a rule with a name gives its numbers to all routes that share it',
    }),
  expectedInstances: z.number().int().min(1).max(1_000).default(2).meta({
    live: true,
    description:
      'While the store of the budgets is away, each process goes by this part (1/n) of every limit',
  }),
  storeTimeoutMs: z.number().int().min(5).max(10_000).default(250).meta({
    live: true,
    description: 'A store of budgets that has not answered for so long is taken to be away',
  }),
  storePauseMs: z.number().int().min(10).max(60_000).default(250).meta({
    live: true,
    description: 'Time between two looks at whether that store is back',
  }),
  maxKeys: z.number().int().min(100).max(1_000_000).default(50_000).meta({
    description:
      'Most users, keys or addresses that a process remembers for each limit; those idle for the longest time go first',
  }),
});

export type RateLimitSettings = SettingsOf<typeof rateLimitSettings>;
