import type { Client, QueryConfig, QueryResult } from 'pg';
import type { Clock } from '#libs/core';
import { ConnectionStatements, type PreparedLimits } from './connection-statements.js';
import type { Statement } from './statement.js';
import type { StatementRegistry } from './statement-registry.js';

/**
 * What a name can do wrong: the plan's result has another type since a table changed, the server
 * does not know the name (a pooler gave another connection), or knows it already.
 */
const NAME_FAULTS = new Set(['0A000', '26000', '42P05']);

/** How `pg` answers; the error is null or undefined when there is none. */
export type Done = (error: Error | null | undefined, result: QueryResult) => void;

/** Sends a query as it is. */
export type Pass = (query: QueryConfig, done: Done) => void;

export interface PreparedParts {
  readonly registry: StatementRegistry;
  readonly limits: PreparedLimits;
  readonly clock: Clock;
}

/**
 * Gives the statements that one connection sees again and again a name, so that PostgreSQL parses
 * and plans them once. TypeORM and others that never name statements gain without knowing.
 *
 * A name that fails is taken back, and outside a transaction the statement runs again without one.
 */
export class StatementPreparer {
  private readonly statements: ConnectionStatements;

  constructor(
    private readonly parts: PreparedParts,
    private readonly client: Client,
    private readonly pass: Pass,
  ) {
    this.statements = new ConnectionStatements(parts.limits);
  }

  /** Whether a query may get a name: it has none, and its text comes again. */
  isFor({ name, text }: QueryConfig): boolean {
    return (name === undefined || name === '') && this.parts.registry.of(text).isNameable;
  }

  /** Sends a query for which `isFor` holds. */
  send(query: QueryConfig, done: Done): void {
    const { registry, clock } = this.parts;
    const statement = registry.of(query.text);
    const timesPrepared = this.statements.use(statement, clock.nowMs());
    const excess = timesPrepared === 1 ? this.statements.excess() : undefined;
    if (excess !== undefined && this.isIdle()) {
      this.forget(excess);
      this.pass({ text: `DEALLOCATE "${excess.name}"` }, () =>
        this.execute(query, statement, timesPrepared, done),
      );
    } else this.execute(query, statement, timesPrepared, done);
  }

  private execute(
    query: QueryConfig,
    statement: Statement,
    timesPrepared: number,
    done: Done,
  ): void {
    const { clock } = this.parts;
    const startedMs = clock.monotonicMs();
    const named = timesPrepared === 0 ? query : { ...query, name: statement.name };
    this.pass(named, (error, result) => {
      if (error === undefined || error === null) {
        statement.note(clock.monotonicMs() - startedMs, timesPrepared, clock.nowMs());
      } else if (timesPrepared > 0 && NAME_FAULTS.has((error as { code?: string }).code ?? '')) {
        this.forget(statement);
        if (this.isIdle()) {
          this.pass(query, done);
          return;
        }
      }
      done(error, result);
    });
  }

  /** `pg` remembers names by itself, and would not send a statement that it has sent. */
  private forget(statement: Statement): void {
    this.statements.forget(statement);
    const { connection } = this.client as unknown as { readonly connection: KnownStatements };
    delete connection.parsedStatements[statement.name];
    delete connection.submittedNamedStatements[statement.name];
  }

  private isIdle(): boolean {
    return this.client.getTransactionStatus() === 'I';
  }
}

interface KnownStatements {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
}
