import { isError, messageOf, PantheonError } from '#libs/core';
import type { CliIo } from './cli.js';
import { ExitCode, exitCodeOf } from './exit-code.js';

/**
 * Says on stderr what went wrong, with the path and reason of each fault; only a defect of the
 * program itself shows a stack.
 * @returns the exit code that fits
 */
export async function reportError(error: unknown, io: CliIo, json: boolean): Promise<ExitCode> {
  if (io.signal.aborted) {
    io.stderr.write('Interrupted. What was done stays; run it again to go on.\n');
    return interruptedBy(io.signal);
  }
  const known = error instanceof PantheonError ? error : await databaseFault(error);
  if (known !== undefined) {
    io.stderr.write(json ? asJson(known) : asText(known));
    return exitCodeOf(known.kind);
  }
  const stack = isError(error) ? (error.stack ?? error.message) : String(error);
  io.stderr.write(
    json
      ? `${JSON.stringify({ error: { code: 'INTERNAL', message: messageOf(error) } })}\n`
      : `Internal error: ${stack}\n`,
  );
  return ExitCode.internal;
}

/** `reason` of the abort is the signal's name. */
function interruptedBy(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? ExitCode.terminated : ExitCode.interrupted;
}

function asText({ code, message, faults }: PantheonError): string {
  const told = faults.filter(({ path }) => !message.includes(path));
  const lines = told.map(({ path, message: reason }) => `  ${path}: ${reason}`);
  return [`Error: ${message} (${code})`, ...lines, ''].join('\n');
}

function asJson({ code, message, faults }: PantheonError): string {
  return `${JSON.stringify({ error: { code, message, faults } })}\n`;
}

const LOGIN_CODES = new Map([
  ['28P01', 'The database refuses the password.'],
  ['28000', 'The database refuses the user.'],
  ['3D000', 'There is no such database.'],
]);

async function databaseFault(error: unknown): Promise<PantheonError | undefined> {
  const { toDatabaseError } = await import('#libs/persistence');
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const refusal = LOGIN_CODES.get(isError(inner) && 'code' in inner ? String(inner.code) : '');
  if (refusal === undefined) return toDatabaseError(error);
  const message = `${refusal} Look at --database-url or DATABASE_URL: ${messageOf(inner)}`;
  return new PantheonError('DATABASE_REFUSED', message, { kind: 'invalid', cause: error });
}
