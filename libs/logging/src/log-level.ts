import { z } from 'zod';

/** Levels from the most to the least talkative; `silent` writes nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Levels that a line can have. */
export type LineLevel = Exclude<LogLevel, 'silent'>;

/** The numbers that pino gives to the levels. */
export const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

/** Level by module name; `default` is for every module that has no level of its own. */
export type LogLevels = Readonly<Record<string, LogLevel>>;

export const logLevelsSchema = z.record(z.string().min(1).max(100), z.enum(LOG_LEVELS));

const FALLBACK: LogLevel = 'info';

/**
 * The level of a module: its own, or that of its nearest ancestor (`jobs.purge` follows `jobs`),
 * or `default`, or info.
 */
export function levelOf(levels: LogLevels, module: string): LogLevel {
  for (let name = module; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const level = Object.hasOwn(levels, name) ? levels[name] : undefined;
    if (level !== undefined) return level;
  }
  return levels['default'] ?? FALLBACK;
}
