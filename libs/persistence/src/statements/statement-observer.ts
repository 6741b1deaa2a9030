/** A statement as it is sent. */
export interface StatementCall {
  readonly text: string;
  readonly values: readonly unknown[];
  /**
   * What the server last told: `T` inside a transaction, `I` outside, `E` in one that has failed; null
   * before the first answer. It tells the failure of a statement a moment before that of its transaction.
   */
  readonly transactionStatus: string | null;
  /** The connection, to tell the transactions of several apart. */
  readonly connection: object;
}

/** How a statement ended. */
export interface StatementOutcome {
  readonly durationMs: number;
  readonly rowCount: number | null;
  readonly command: string | undefined;
  readonly rows: readonly unknown[];
  readonly error: (Error & { readonly code?: string }) | undefined;
}

/** Called at the end of a statement. What it returns is waited for before the caller gets the answer. */
export type StatementEnd = (outcome: StatementOutcome) => void | Promise<void>;

/**
 * Sees every statement of a pool, in the context of the request that sends it. It must not throw
 * and takes next to no time: everybody waits for it.
 */
export abstract class StatementObserver {
  /** Called before a statement is sent. @returns what is called at its end, if anything */
  abstract started(call: StatementCall): StatementEnd | undefined;
}
