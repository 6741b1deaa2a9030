import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Settings of the HTTP server. */
export const httpSettings = defineSettings('http', {
  host: z.string().min(1).default('127.0.0.1').meta({
    env: 'HOST',
    description: 'Address that the API listens on; 0.0.0.0 for every interface',
  }),
  port: z.number().int().min(0).max(65_535).default(3000).meta({
    env: 'PORT',
    description: 'Port of the API; 0 takes a free one',
  }),
  bodyLimitBytes: z
    .number()
    .int()
    .min(1024)
    .max(256 * MEBIBYTE)
    .default(MEBIBYTE)
    .meta({
      description: 'Largest JSON body; a larger one is answered with 413',
    }),
  requestTimeoutMs: z.number().int().min(1000).max(3_600_000).default(300_000).meta({
    description: 'Longest time that a client may take to send a request',
  }),
  keepAliveTimeoutMs: z.number().int().min(1000).max(3_600_000).default(72_000).meta({
    description: 'An idle connection is kept open for so long',
  }),
  trustProxy: z.boolean().default(false).meta({
    description: 'Whether X-Forwarded-* is believed; only behind a proxy that sets it',
  }),
  docs: z.boolean().default(true).meta({
    description: 'Whether /docs is served',
  }),
});

export type HttpSettings = SettingsOf<typeof httpSettings>;
