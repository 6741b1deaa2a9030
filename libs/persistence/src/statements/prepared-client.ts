import { Client, type ClientBase, type QueryConfig, type QueryResult } from 'pg';
import type { Clock } from '#libs/core';
import { ConnectionStatements, type PreparedLimits } from './connection-statements.js';
import type { Statement } from './statement.js';
import type { StatementRegistry } from './statement-registry.js';

/**
 * What a name can do wrong: the plan's result has another type since a table changed, the server
 * does not know the name (a pooler gave another connection), or knows it already.
 */
const NAME_FAULTS = new Set(['0A000', '26000', '42P05']);

export interface PreparedClientParts {
  readonly registry: StatementRegistry;
  readonly limits: PreparedLimits;
  readonly clock: Clock;
}

type Done = (error: Error | null | undefined, result: QueryResult) => void;
type Query = (config: unknown, values?: unknown, callback?: unknown) => unknown;

interface Named {
  readonly statement: Statement;
  readonly timesPrepared: number;
}

/**
 * A client of `pg` that gives the statements it sees again and again a name, so that PostgreSQL
 * parses and plans them once for each connection. TypeORM and others that never name statements
 * gain without knowing.
 *
 * A name that fails is taken back, and outside a transaction the statement runs again without one.
 */
export function preparedClient(parts: PreparedClientParts): new () => ClientBase {
  const { registry, limits, clock } = parts;
  return class PreparedClient extends Client {
    private readonly statements = new ConnectionStatements(limits);

    // The overloads of `pg` all come down to this.
    override query(config: unknown, values?: unknown, callback?: unknown): never {
      const text = textOf(config, values);
      const statement = text === undefined ? undefined : registry.of(text);
      if (statement === undefined || !statement.isNameable) {
        return this.pass(config, values, callback) as never;
      }
      const done = [values, callback].find((value) => typeof value === 'function') as Done;
      const given = Array.isArray(values) ? values : (config as QueryConfig).values;
      const call = typeof config === 'string' ? { text: config } : (config as QueryConfig);
      const named = {
        statement,
        timesPrepared: this.statements.use(statement, clock.nowMs()),
      };
      const query: QueryConfig = {
        ...call,
        ...(given === undefined ? {} : { values: given }),
        ...(named.timesPrepared === 0 ? {} : { name: statement.name }),
      };
      if (done !== undefined) {
        this.run(query, named, done);
        return undefined as never;
      }
      return new Promise<QueryResult>((resolve, reject) => {
        this.run(query, named, (error, result) => {
          if (error === null || error === undefined) resolve(result);
          else reject(error);
        });
      }).catch((error: Error) => {
        // Names what called, rather than the socket that answered.
        Error.captureStackTrace(error);
        throw error;
      }) as never;
    }

    private run(query: QueryConfig, named: Named, done: Done): void {
      const excess = named.timesPrepared === 1 ? this.statements.excess() : undefined;
      if (excess !== undefined && this.isIdle()) {
        this.deallocate(excess, () => this.send(query, named, done));
      } else this.send(query, named, done);
    }

    private send(query: QueryConfig, named: Named, done: Done): void {
      const { statement, timesPrepared } = named;
      const startedMs = clock.monotonicMs();
      this.pass(query, undefined, (error: Error | undefined, result: QueryResult) => {
        if (error === undefined || error === null) {
          statement.note(clock.monotonicMs() - startedMs, timesPrepared, clock.nowMs());
        } else if (timesPrepared > 0 && NAME_FAULTS.has((error as { code?: string }).code ?? '')) {
          this.forget(statement);
          if (this.isIdle()) {
            const { name: _, ...unnamed } = query;
            this.pass(unnamed, undefined, done);
            return;
          }
        }
        done(error, result);
      });
    }

    private deallocate(statement: Statement, then: () => void): void {
      this.forget(statement);
      this.pass(`DEALLOCATE "${statement.name}"`, undefined, then);
    }

    /** `pg` remembers names by itself, and would not send a statement that it has sent. */
    private forget(statement: Statement): void {
      this.statements.forget(statement);
      const { connection } = this as unknown as { connection: KnownStatements };
      delete connection.parsedStatements[statement.name];
      delete connection.submittedNamedStatements[statement.name];
    }

    private isIdle(): boolean {
      return this.getTransactionStatus() === 'I';
    }

    private pass(config: unknown, values: unknown, callback: unknown): unknown {
      return (super.query as Query).call(this, config, values, callback);
    }
  };
}

interface KnownStatements {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
}

/** The text of a query that has no name yet; undefined for everything else that can be submitted. */
function textOf(config: unknown, values: unknown): string | undefined {
  if (typeof config === 'string') return config;
  if (config === null || typeof config !== 'object' || 'submit' in config) return undefined;
  const { name, text } = config as Partial<QueryConfig>;
  if (name !== undefined && name !== '') return undefined;
  return typeof text === 'string' &&
    (values === undefined || typeof values === 'function' || Array.isArray(values))
    ? text
    : undefined;
}
