import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Where Redis is; with one, jobs, the second cache level and the backplane are kept there. */
export const redisSettings = defineSettings('redis', {
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'must start with redis:// or rediss://')
    .optional()
    .meta({
      env: 'REDIS_URL',
      secret: true,
      description: 'Redis for jobs, cache and backplane; without it PostgreSQL does their work',
    }),
  keyPrefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .default('pantheon')
    .meta({ description: 'First part of every key and channel in Redis' }),
});

export type RedisSettings = SettingsOf<typeof redisSettings>;
