import { eventChannel } from '#libs/core';

/** Lines that were lost because their reader was too slow or is gone. */
export interface LogLinesDropped {
  readonly lines: number;
  readonly reason: 'buffer-full' | 'write-failed';
}

export const logLinesDropped = eventChannel<LogLinesDropped>('pantheon.logging.dropped');
