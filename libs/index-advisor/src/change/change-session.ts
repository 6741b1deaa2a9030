import type { Connection } from '../connection/connection.js';

/**
 * A session of its own: a change holds a lock of the session and runs for hours, so it is not
 * taken from a pool.
 */
export interface ChangeSession extends Connection {
  /** Of the server's process. */
  readonly pid: number;
  /** May be called twice, also after the connection broke. */
  close(): Promise<void>;
}

export type OpenChangeSession = () => Promise<ChangeSession>;
