import { eventChannel } from '#libs/core';

/** What goes wrong with the connections of a pool. */
export type PoolEvent =
  | {
      /** A connection came back inside a transaction; it was closed, which rolls back. */
      readonly type: 'leaked-transaction';
      /** Where the connection was taken: a stack trace without its first line. */
      readonly takenAt: string;
      readonly heldMs: number;
    }
  | { readonly type: 'timed-out'; readonly waitedMs: number; readonly waiting: number }
  | { readonly type: 'refused'; readonly waiting: number }
  | {
      /** Nobody got a connection for a while: callers are turned away until one does. */
      readonly type: 'does-not-answer' | 'answers-again';
    };

/** Published when a caller does not get a connection, or gives a bad one back. */
export const poolEvents = eventChannel<PoolEvent>('pantheon.persistence.pool');
