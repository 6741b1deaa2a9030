import { Statement } from './statement.js';

/** Texts that a pool knows at once; the one used longest ago is forgotten. */
const MAX_STATEMENTS = 2_000;

/** The statements of a pool by their text, the most recently used last. */
export class StatementRegistry {
  private readonly statements = new Map<string, Statement>();

  of(text: string): Statement {
    const known = this.statements.get(text);
    if (known !== undefined) return known;
    const statement = new Statement(text);
    if (this.statements.size >= MAX_STATEMENTS) this.forgetHalf();
    this.statements.set(text, statement);
    return statement;
  }

  get size(): number {
    return this.statements.size;
  }

  /** Statements that run without a name because that was faster. */
  optedOut(nowMs: number): Statement[] {
    return [...this.statements.values()].filter(({ unnamedUntilMs }) => unnamedUntilMs > nowMs);
  }

  /** Half at once, so that a flood of texts that never come again costs little for each. */
  private forgetHalf(): void {
    let left = MAX_STATEMENTS / 2;
    for (const text of this.statements.keys()) {
      if (left-- === 0) return;
      this.statements.delete(text);
    }
  }
}
