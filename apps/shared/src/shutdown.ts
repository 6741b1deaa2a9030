import { constants } from 'node:os';

/** A terminal sends a signal to the whole process group and npm forwards it as well. */
const SAME_SIGNAL_WITHIN_MS = 1_000;

/**
 * Runs `shutDown` once at the first SIGINT, SIGTERM or SIGHUP and ends the process. It is ended without
 * waiting when that takes longer than `timeoutMs`, or when a person asks again.
 */
export function shutDownOnSignals(
  timeoutMs: number,
  shutDown: () => Promise<void>,
  onProblem: (message: string, error?: unknown) => void,
): void {
  let startedAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (startedAtMs !== undefined) {
      if (performance.now() - startedAtMs < SAME_SIGNAL_WITHIN_MS) return;
      onProblem(`${signal} again: ending without waiting any longer.`);
      process.exit(128 + constants.signals[signal]);
    }
    startedAtMs = performance.now();
    setTimeout(() => {
      onProblem(`The shutdown took longer than ${timeoutMs} ms (http.shutdownTimeoutMs).`);
      process.exit(1);
    }, timeoutMs).unref();
    shutDown().then(
      () => process.exit(0),
      (error: unknown) => {
        onProblem('The shutdown failed.', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The terminal was closed.
  process.on('SIGHUP', onSignal);
}
