import { constants } from 'node:os';
import type { RootLogger } from './root-logger.js';

export interface ProcessGuardOptions {
  /**
   * Whether SIGTERM, SIGINT and SIGHUP end the process here, after the log is written. For
   * programs that have no handlers of their own; those call `root.flush()` before they exit.
   */
  readonly signals?: boolean;
}

/**
 * Sees to it that the end of the process loses no line: flushes before a natural end, logs an
 * uncaught exception or unhandled rejection as fatal and exits with 1 when it is written, and
 * writes what is left at `process.exit`. Returns a function that takes the guards away.
 */
export function installProcessGuards(
  root: RootLogger,
  { signals = false }: ProcessGuardOptions = {},
): () => void {
  const logger = root.module('process');
  let ending = false;

  const end = (exit: () => void): void => {
    if (ending) return;
    ending = true;
    // `flush` has its own time-out, so a reader that stands still cannot hold the process.
    void root.flush().then(exit, exit);
  };
  const onFatal = (message: string) => (error: unknown) => {
    logger.fatal(message, { err: error });
    end(() => process.exit(1));
  };
  const onSignal = (signal: NodeJS.Signals): void =>
    end(() => process.exit(128 + constants.signals[signal]));

  const handlers: [string, (cause: never) => void][] = [
    ['uncaughtException', onFatal('Uncaught exception')],
    ['unhandledRejection', onFatal('Unhandled rejection')],
    // It comes again after each flush that found something to write, and then no more.
    ['beforeExit', () => void root.flush()],
    ['exit', () => root.flushAtExit()],
    ...(signals ? SIGNALS.map((signal): [string, typeof onSignal] => [signal, onSignal]) : []),
  ];
  for (const [event, handler] of handlers) process.on(event, handler as () => void);
  return () => {
    for (const [event, handler] of handlers) process.off(event, handler as () => void);
  };
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
