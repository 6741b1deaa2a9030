import { z } from 'zod';
import { defineSettings, type SettingsOf } from '#libs/config';
import { logLevelsSchema } from './log-level.js';

/** Settings of the log: what is written, in which form, and what happens when nobody reads it. */
export const loggingSettings = defineSettings('logging', {
  levels: logLevelsSchema.default({ default: 'info' }).meta({
    description:
      'Level by module: {"default":"info","jobs":"debug"}; trace, debug, info, warn, error, fatal or silent',
    live: true,
  }),
  format: z.enum(['auto', 'json', 'pretty']).default('auto').meta({
    description: 'JSON lines, or text for people; auto is text when the output is a terminal',
  }),
  accessLog: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether each HTTP request gets a line', live: true }),
  bufferMaxBytes: z
    .int()
    .min(64 * 1024)
    .default(8 * 1024 * 1024)
    .meta({
      description:
        'Bytes that may wait for a slow reader; beyond three quarters of it lines up to info are dropped, beyond it all',
    }),
  flushIntervalMs: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .meta({ description: 'Longest time that a line below error waits in the buffer' }),
  exitFlushTimeoutMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(3_000)
    .meta({ description: 'Longest time that the end of the process waits for a slow reader' }),
  redactKeys: z.array(z.string().min(1)).default([]).meta({
    description: 'Names of fields to mask besides the built-in ones (password, token, …)',
    live: true,
  }),
  maxStringChars: z
    .int()
    .min(256)
    .default(16_384)
    .meta({ description: 'A longer text in a line is cut' }),
});

export type LoggingSettings = SettingsOf<typeof loggingSettings>;
