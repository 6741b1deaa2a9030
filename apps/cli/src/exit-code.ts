import type { ErrorKind } from '#libs/core';

/** What the exit status of the command tells a script. */
export const ExitCode = {
  /** Done. */
  ok: 0,
  /** The input is at fault: an argument, a setting, a file. Another input will do. */
  userError: 1,
  /** Something that the command needs is down or too slow. The same input may do later. */
  unavailable: 2,
  /** A defect of the program. */
  internal: 3,
  /** Ended by Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const CODES: Readonly<Record<ErrorKind, ExitCode>> = {
  invalid: ExitCode.userError,
  unauthenticated: ExitCode.userError,
  forbidden: ExitCode.userError,
  'not-found': ExitCode.userError,
  conflict: ExitCode.userError,
  'too-large': ExitCode.userError,
  unsupported: ExitCode.userError,
  unprocessable: ExitCode.userError,
  'rate-limited': ExitCode.unavailable,
  timeout: ExitCode.unavailable,
  unavailable: ExitCode.unavailable,
  internal: ExitCode.internal,
};

/** The exit code for an error of `kind`. */
export function exitCodeOf(kind: ErrorKind): ExitCode {
  return CODES[kind];
}
