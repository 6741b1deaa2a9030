import { createHash } from 'node:crypto';
import { LatencySample } from './latency-sample.js';

/** What PostgreSQL plans; the rest (BEGIN, SET, DDL, COPY …) has no plan to keep. */
const PLANNED = /^\s*(?:select|insert|update|delete|with|merge|values)\b/i;
/** A list as long as somebody's array: the text would hardly come again. */
const VARYING_LIST = /\bin\s*\(\s*\$\d+\s*,/i;
/** An insert of several rows. */
const MANY_ROWS = /\)\s*,\s*\(\s*(?:\$\d|default\b)/i;
/** A longer text is made by a program for one occasion. */
const MAX_TEXT = 16_384;

/** A prepared statement has to be this much slower than a planned one before it is given up … */
const WORSE_RATIO = 1.5;
/** … and by so much, since the planning that is saved takes about as long. */
const WORSE_BY_MS = 0.5;
/** For how long it then runs without. */
const OPT_OUT_MS = 600_000;
/** PostgreSQL itself plans the first executions of a prepared statement with their values. */
const CUSTOM_EXECUTIONS = 5;

/** Whether a statement gains from a name: it has a plan, and its text comes again. */
export function isWorthNaming(text: string): boolean {
  return (
    text.length <= MAX_TEXT &&
    PLANNED.test(text) &&
    !text.includes(';') &&
    !VARYING_LIST.test(text) &&
    !MANY_ROWS.test(text)
  );
}

/** What is known of one statement text, over all connections of a pool. */
export class Statement {
  readonly isNameable: boolean;
  /** Until then it runs without a name, since the plan that is kept was slower. */
  unnamedUntilMs = 0;
  /** Whether every second execution goes without a name, to compare. */
  isOnTrial = false;
  private readonly planned = new LatencySample();
  private readonly prepared = new LatencySample();
  private hashed: string | undefined;

  constructor(readonly text: string) {
    this.isNameable = isWorthNaming(text);
  }

  /** The same for the same text, in every process. */
  get name(): string {
    this.hashed ??= `p_${createHash('sha256').update(this.text).digest('base64url').slice(0, 22)}`;
    return this.hashed;
  }

  /**
   * Notes an execution; `timesPrepared` is 0 when it had no name. A statement that seems worse with
   * a name is tried in turns with and without, since all else may have become slower meanwhile.
   */
  note(ms: number, timesPrepared: number, nowMs: number): void {
    if (timesPrepared === 0) this.planned.add(ms);
    else if (timesPrepared > CUSTOM_EXECUTIONS) this.prepared.add(ms);
    if (!this.planned.isFull || !this.prepared.isFull) return;
    const isWorse = this.isWorsePrepared();
    if (isWorse && this.isOnTrial) this.unnamedUntilMs = nowMs + OPT_OUT_MS;
    if (isWorse || this.isOnTrial) {
      this.isOnTrial = !this.isOnTrial;
      this.planned.clear();
      this.prepared.clear();
    }
  }

  private isWorsePrepared(): boolean {
    const planned = this.planned.median();
    const prepared = this.prepared.median();
    return prepared > planned * WORSE_RATIO && prepared > planned + WORSE_BY_MS;
  }
}
