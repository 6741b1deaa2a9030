#!/usr/bin/env node
import { runCli } from './cli.js';
import { ExitCode } from './exit-code.js';

/** npm and the terminal both pass Ctrl-C on, so the second signal of a pair means nothing. */
const SAME_KEYSTROKE_MS = 1000;

const stop = new AbortController();
let firstSignalAtMs: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (firstSignalAtMs === undefined) {
      firstSignalAtMs = performance.now();
      stop.abort(signal);
    } else if (performance.now() - firstSignalAtMs > SAME_KEYSTROKE_MS) {
      // Asked twice: the database rolls back what is not committed.
      process.exit(signal === 'SIGTERM' ? ExitCode.terminated : ExitCode.interrupted);
    }
  });
}

// `pantheon … | head` closes stdout early, which is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.ok);
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  env: process.env,
  signal: stop.signal,
});
