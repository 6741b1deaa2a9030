/** What happens to a row that violates a unique constraint. */
export type OnConflict<Row> =
  /** It is an error. */
  | 'fail'
  /** It is left out. */
  | 'skip'
  /** The row that is there gets the new values of `update`; `on` are the columns of the constraint. */
  | {
      readonly on: readonly (keyof Row & string)[];
      readonly update: readonly (keyof Row & string)[];
    };

export interface BulkInsertOptions<Row> {
  /**
   * `abort` (default): all rows or none, in one transaction. `report`: the good rows are stored and
   * the others told, each batch by itself.
   */
  readonly onError?: 'abort' | 'report';
  /** Default `fail`. */
  readonly conflict?: OnConflict<Row>;
  /** Columns to give back of each stored row, by property; they are kept in memory. Default none. */
  readonly returning?: readonly (keyof Row & string)[];
  /** Rows that are written and in memory at once. Default 1,000. */
  readonly batchRows?: number;
  /** Batches under way at once with `report`, each on a connection of its own. Default 2. */
  readonly concurrency?: number;
  /** `auto` (default) takes COPY from 2,000 rows on. */
  readonly method?: 'auto' | 'unnest' | 'copy';
  /** Rejected rows that are told; all are counted. Default 1,000. */
  readonly maxReported?: number;
  /** Stops between batches; with `abort` nothing is stored then. */
  readonly signal?: AbortSignal;
}

/** A row that was not stored. */
export interface RejectedRow {
  /** Place in the input, from 0. */
  readonly index: number;
  /** SQLSTATE, such as `23505` of a unique violation. */
  readonly code: string;
  readonly detail: string;
}

export interface BulkInsertReport<Row> {
  /** Rows stored or updated; those that `skip` left out are not among them. */
  readonly written: number;
  readonly rejectedCount: number;
  readonly rejected: readonly RejectedRow[];
  /** What `returning` asked for, in no order. */
  readonly rows: readonly Partial<Row>[];
  readonly method: 'unnest' | 'copy';
}
