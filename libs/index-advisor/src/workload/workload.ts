/** A statement as somebody counted it, before statements that are alike are joined. */
export interface RecordedStatement {
  /** SQL, with `$n` or literals. */
  readonly text: string;
  readonly calls: number;
  /** Time of all calls. */
  readonly totalMs: number;
  /** Rows of all calls: returned, or written. */
  readonly rows?: number | undefined;
  /** The parameters of one typical call, in order. They are used to plan and shown to nobody. */
  readonly parameters?: readonly unknown[] | undefined;
}

/** What a database is asked, and how often. */
export interface Workload {
  readonly statements: readonly WorkloadStatement[];
  /** Days over which the calls were counted; undefined when nobody knows. */
  readonly days: number | undefined;
  /** What is missing, for people. */
  readonly notes: readonly string[];
}

/** Statements with the same fingerprint, as one. */
export interface WorkloadStatement {
  readonly fingerprint: string;
  readonly sql: string;
  /** Without them the statement is planned for any values. */
  readonly parameters: readonly unknown[] | undefined;
  readonly calls: number;
  readonly totalMs: number;
  readonly rows: number;
  /** Other texts of the same shape, whose literals differ; a few of many. */
  readonly variants: readonly string[];
}

/** Somebody who counts statements, such as the recorder of an application. */
export abstract class WorkloadSource {
  /** What was counted, and since when. */
  abstract read(): Promise<RecordedWorkload>;
}

/** What a source counted. */
export interface RecordedWorkload {
  readonly statements: readonly RecordedStatement[];
  /** When counting began; undefined when that is not known. */
  readonly since: Date | undefined;
  /** What is missing, for people. */
  readonly notes?: readonly string[];
}
