import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const DAY_SECONDS = 86_400;

/** Settings of API keys. */
export const apiKeySettings = defineSettings('apiKeys', {
  lifeSeconds: z
    .number()
    .int()
    .min(60)
    .max(3_650 * DAY_SECONDS)
    .default(90 * DAY_SECONDS)
    .meta({ live: true, description: 'Life of an API key whose maker asks for no other' }),
  maxLifeSeconds: z
    .number()
    .int()
    .min(60)
    .max(3_650 * DAY_SECONDS)
    .default(365 * DAY_SECONDS)
    .meta({ live: true, description: 'Longest life of an API key from its making or rotation' }),
  overlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .meta({
      live: true,
      description:
        'After a rotation the version before works for this long, unless asked otherwise',
    }),
  maxOverlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * DAY_SECONDS)
    .default(7 * DAY_SECONDS)
    .meta({ live: true, description: 'Longest overlap that a rotation may ask for' }),
  keysPerUser: z.number().int().min(1).max(10_000).default(50).meta({
    live: true,
    description: 'Most API keys of one user that work',
  }),
  endedRetentionDays: z.number().int().min(0).max(3_650).default(30).meta({
    live: true,
    description: 'Revoked and expired API keys stay in lists for this long',
  }),
  cacheEntries: z.number().int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Most API keys whose principals are kept in memory',
  }),
  usageFlushMs: z.number().int().min(10).max(600_000).default(10_000).meta({
    live: true,
    description:
      'Uses of API keys are written this often; a process that is killed loses as much at most',
  }),
  usageBufferKeys: z.number().int().min(10).max(1_000_000).default(10_000).meta({
    live: true,
    description:
      'Most API keys whose uses wait to be written; uses of further ones are not counted',
  }),
});

export type ApiKeySettings = SettingsOf<typeof apiKeySettings>;
