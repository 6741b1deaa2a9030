import { defineSettings } from '#libs/config';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Settings of compressed answers and compressed bodies of requests. */
export const compressionSettings = defineSettings('compression', {
  enabled: z.boolean().default(true).meta({
    live: true,
    description: 'Whether answers are compressed for clients that accept it',
  }),
  fromBytes: z
    .number()
    .int()
    .min(256)
    .max(64 * MEBIBYTE)
    .default(2_048)
    .meta({ live: true, description: 'Answers of at least this size are compressed' }),
  gzipLevel: z.number().int().min(1).max(9).default(6).meta({
    live: true,
    description: 'Trouble that gzip and deflate take, 1 to 9',
  }),
  brotliQuality: z.number().int().min(1).max(11).default(4).meta({
    live: true,
    description: 'Trouble that brotli takes, 1 to 11; from 6 on it is slow',
  }),
  maxConcurrent: z.number().int().min(0).max(10_000).default(64).meta({
    live: true,
    description:
      'With so many answers being compressed the next ones are sent as they are; with so many streams, the next streams',
  }),
  maxInflation: z.number().min(2).max(100_000).default(100).meta({
    live: true,
    description: 'Most bytes of a decoded body for each byte that was sent',
  }),
  inflationFromBytes: z
    .number()
    .int()
    .min(0)
    .default(MEBIBYTE)
    .meta({ live: true, description: 'A smaller decoded body may be as dense as it likes' }),
});
