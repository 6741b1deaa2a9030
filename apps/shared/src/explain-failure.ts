import { isError, PantheonError } from '#libs/core';

/** Why a start failed, for a person: our own errors in their words, others with their stack. */
export function explainFailure(error: unknown): string {
  if (error instanceof PantheonError) return `${error.message} [${error.code}]`;
  return isError(error) ? (error.stack ?? error.message) : String(error);
}
