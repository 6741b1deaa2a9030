import type { LoggerService } from '@nestjs/common';
import type { LineLevel } from './log-level.js';
import type { RootLogger } from './root-logger.js';

const NEST_MODULE = 'nest';

/** What Nest says of itself while it starts: a line a module and a line a route. */
const BOOT_CONTEXTS = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Nest's own lines, and those of its `Logger`, in our log; Nest's context is the module. */
export class NestLoggerService implements LoggerService {
  constructor(private readonly root: RootLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const isBoot = BOOT_CONTEXTS.has(String(rest.at(-1)));
    this.write(isBoot ? 'debug' : 'info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest calls with the context last, and for errors with a stack before it. */
  private write(level: LineLevel, message: unknown, rest: unknown[]): void {
    const context = typeof rest.at(-1) === 'string' ? String(rest.at(-1)) : undefined;
    const extra = (context === undefined ? rest : rest.slice(0, -1)).filter(
      (value) => value !== undefined,
    );
    const stack = extra.find((value) => typeof value === 'string' && value.includes('\n    at '));
    const others = extra.filter((value) => value !== stack);
    const logger = this.root.module(context ?? NEST_MODULE);
    const text = message instanceof Error ? message.message : asText(message);
    logger[level](text, {
      ...(message instanceof Error && { err: message }),
      ...(stack !== undefined && { stack }),
      ...(others.length > 0 && { details: others }),
    });
  }
}

function asText(message: unknown): string {
  if (typeof message === 'string') return message;
  try {
    return JSON.stringify(message) ?? String(message);
  } catch {
    return String(message);
  }
}
