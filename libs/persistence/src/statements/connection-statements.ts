import type { Statement } from './statement.js';

export interface PreparedLimits {
  /** Executions on a connection without a name before a statement gets one. */
  readonly afterUses: number;
  /** Most prepared statements of a connection; each takes memory of the server. */
  readonly perConnection: number;
}

/** A statement that still runs without a name every so often shows what planning anew would take. */
const COMPARE_EVERY = 128;

interface Use {
  count: number;
  /** Executions under its name; 0 while it has none on this connection. */
  prepared: number;
  lastUsed: number;
}

/** Which statements one connection has prepared, and which it should. */
export class ConnectionStatements {
  private readonly uses = new Map<Statement, Use>();
  private ticks = 0;
  private named = 0;

  constructor(private readonly limits: PreparedLimits) {}

  /** Counts a use. How often the statement has run under its name with this one; 0: without it. */
  use(statement: Statement, nowMs: number): number {
    let use = this.uses.get(statement);
    if (use === undefined) {
      if (this.uses.size >= this.limits.perConnection * 4) this.forgetUnnamed();
      use = { count: 0, prepared: 0, lastUsed: 0 };
      this.uses.set(statement, use);
    }
    use.count += 1;
    use.lastUsed = this.ticks += 1;
    if (use.count <= this.limits.afterUses || use.count % COMPARE_EVERY === 0) return 0;
    if (statement.unnamedUntilMs > nowMs || (statement.isOnTrial && use.count % 2 === 0)) return 0;
    if (use.prepared === 0) this.named += 1;
    use.prepared += 1;
    return use.prepared;
  }

  /** The statement that makes room, when there are more than the connection may have. */
  excess(): Statement | undefined {
    if (this.named <= this.limits.perConnection) return undefined;
    let oldest: Statement | undefined;
    let lastUsed = Number.POSITIVE_INFINITY;
    for (const [statement, use] of this.uses) {
      if (use.prepared > 0 && use.lastUsed < lastUsed) {
        oldest = statement;
        ({ lastUsed } = use);
      }
    }
    return oldest;
  }

  /** The server no longer has it. */
  forget(statement: Statement): void {
    const use = this.uses.get(statement);
    if (use === undefined) return;
    if (use.prepared > 0) this.named -= 1;
    this.uses.delete(statement);
  }

  get preparedCount(): number {
    return this.named;
  }

  private forgetUnnamed(): void {
    for (const [statement, { prepared }] of this.uses) {
      if (prepared === 0) this.uses.delete(statement);
    }
  }
}
