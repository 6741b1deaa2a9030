/** Something in a database that could be better, with what shows it and how to mend it. */
export interface Finding {
  /** Stable, such as `duplicate-index`. */
  readonly code: string;
  /** What it is about: `schema.table`, `schema.index` or `schema.table.column`. */
  readonly object: string;
  /** For people; holds no values of rows. */
  readonly why: string;
  /** Figures that anybody can look up again. */
  readonly evidence: Readonly<Record<string, EvidenceValue>>;
  /** Statements that mend it, in order; empty when only people can decide what to do. */
  readonly remedy: readonly string[];
  /** `certain` follows from the catalogs; `check` rests on estimates or on what is not visible here. */
  readonly confidence: 'certain' | 'check';
}

export type EvidenceValue = string | number | boolean | null;

/** What was found, and what could not be judged. */
export interface FindingReport {
  readonly findings: readonly Finding[];
  /** For people. */
  readonly notes: readonly string[];
}
