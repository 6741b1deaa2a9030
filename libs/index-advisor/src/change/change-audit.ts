/** Where a change is. */
export type ChangeStep =
  | 'preflight'
  | 'refused'
  | 'already-there'
  | 'invalid-dropped'
  | 'build-started'
  | 'build-failed'
  | 'built'
  | 'measured'
  | 'verified'
  | 'reverted';

/** A step of a change, as it is kept. */
export interface ChangeEntry {
  /** The change that it belongs to. */
  readonly changeId: string;
  readonly step: ChangeStep;
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  /** The statement that creates the index. */
  readonly definition: string;
  /** What was seen: checks, figures, reasons. No values of rows. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Keeps each step of each change of indexes, so that it can be told who did what, and why. */
export abstract class ChangeAudit {
  abstract write(entry: ChangeEntry): Promise<void>;
}

/** Hands entries to a function, such as one that prints them, and waits for it. */
export class CallbackChangeAudit extends ChangeAudit {
  constructor(private readonly onEntry: (entry: ChangeEntry) => unknown) {
    super();
  }

  async write(entry: ChangeEntry): Promise<void> {
    await this.onEntry(entry);
  }
}
