import type { ScoreTerms } from '../ranking/score.js';
import type { Message } from './context-port.js';

/** What became of one source in a compile. */
export interface SourceReport {
  readonly id: string;
  /** Recent entries read. */
  readonly recent: number;
  /** Relevant entries found. */
  readonly relevant: number;
  /** Entries of this source among the messages. */
  readonly used: number;
  readonly durationMs: number;
  /** `failed`: it could not be read, and counts as empty. */
  readonly status: 'ok' | 'failed';
}

/** Why a message is part of the context: its score and the terms that add up to it. */
export interface MessageExplanation {
  readonly entryId: string;
  readonly source: string;
  readonly occurredAt: Date;
  readonly score: number;
  readonly terms: ScoreTerms;
}

export interface CompileReport {
  /** The same for the same question whatever the order of its parts, 43 characters. */
  readonly fingerprint: string;
  readonly sources: readonly SourceReport[];
  /** One explanation a message, in the order of the messages; only when asked for. */
  readonly explain?: readonly MessageExplanation[];
}

export interface CompileResult {
  readonly messages: readonly Message[];
  readonly report: CompileReport;
}
