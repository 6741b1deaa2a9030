import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 400;
/** Deadlock, lock not available, cancelled, serialisation: another time it may do. */
const PASSING = new Set(['40P01', '55P03', '57014', '40001']);

/** Whether what the server refused may go well another time. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(codeOf(error));
}

/** Waits before the next attempt, each time twice as long. The first attempt is 1. */
export async function pauseAfter(attempt: number): Promise<void> {
  await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
