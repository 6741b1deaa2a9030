import { eventChannel } from '#libs/core';

/** Lines that were lost because their reader was too slow or is gone. */
export interface LogLinesDropped {
  readonly lines: number;
  readonly reason: 'buffer-full' | 'write-failed';
}

export const logLinesDropped = eventChannel<LogLinesDropped>('pantheon.logging.dropped');

/** What was answered to a request that failed. */
export interface FailedRequest {
  readonly status: number;
  /** Stable code of the problem. */
  readonly code: string;
  /** What the caller was told. */
  readonly detail?: string | undefined;
  readonly requestId: string;
}

/** Every request that was answered with a problem. */
export const requestFailed = eventChannel<FailedRequest>('pantheon.http.request-failed');
