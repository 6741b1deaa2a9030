import type { NewEntry } from '#libs/context';

/** An entry on its way into a source, under a key by which another run finds it again. */
export type KeyedEntry = NewEntry & { readonly externalKey: string };

/** Something to ingest. */
export interface IngestInput {
  readonly kind: 'document' | 'conversation';
  /** What is counted: "files" or "commits". */
  readonly unit: string;
  readonly total: number;
  /** Start of the keys that this kind of input makes; only such entries are pruned. */
  readonly keyPrefix: string;
  /** Reads on as entries are taken. */
  entries(options: ReadOptions): AsyncIterable<KeyedEntry>;
  /** What could not be read so far, and why. */
  readonly skipped: readonly SkippedInput[];
  /** Whether an entry of this key was left out for such a reason, and so must not be pruned. */
  isSkipped(externalKey: string): boolean;
}

export interface ReadOptions {
  /** A longer text makes several entries. */
  readonly maxTextBytes: number;
  /** Called after each file or commit. */
  readonly onUnit: () => void;
}

export interface SkippedInput {
  readonly path: string;
  readonly reason: string;
}
