import { DeadlineExceededError, type ErrorKind, isError, PantheonError } from '#libs/core';
import { BulkheadFullError, CallTimedOutError, CircuitOpenError } from './errors/policy.errors.js';

/** Kinds of errors that are answers: the part works, and the caller asked for the wrong thing. */
const OF_CALLER: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'too-large',
  'unprocessable',
  'unsupported',
  'rate-limited',
]);

/** Of a connection that was not made, or was lost: the next one may be better. */
const TRANSIENT_ERRNOS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether nothing was called, because the policy did not let the call through. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CircuitOpenError || error instanceof BulkheadFullError;
}

/** Whether an error says that the part is ill, rather than that the question was wrong. */
export function isFailure(error: unknown): boolean {
  // That the caller had no more time says nothing about who was asked.
  if (isRefusal(error) || error instanceof DeadlineExceededError) return false;
  return !(error instanceof PantheonError) || !OF_CALLER.has(error.kind);
}

/** Whether the same call may go well in a moment. */
export function isTransient(error: unknown): boolean {
  if (isRefusal(error)) return false;
  if (error instanceof PantheonError) {
    return error instanceof CallTimedOutError || error.kind === 'unavailable';
  }
  if (!isError(error)) return false;
  if ('code' in error && TRANSIENT_ERRNOS.has(String(error.code))) return true;
  return isError(error.cause) && isTransient(error.cause);
}

/** Whether a fallback may stand in: for a part that is ill or left alone, not for a wrong question. */
export function isReplaceable(error: unknown): boolean {
  return isRefusal(error) || error instanceof DeadlineExceededError || isFailure(error);
}
