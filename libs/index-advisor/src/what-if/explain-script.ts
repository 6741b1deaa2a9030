import { StatementRefusedError } from '../errors/statement-refused.error.js';
import { parameterLiteral } from './parameter-text.js';
import { type PlanningSession, StepError } from './planning-session.js';
import type { Statement } from './what-if-planner.js';

/** Statements that stay prepared, so that each is parsed once for many sets of candidates. */
const MAX_PREPARED = 500;
/** Classes of SQLSTATE whose messages quote values. */
const DATA_EXCEPTION = /^22/;

/** Writes EXPLAIN for statements of one session, each of which it has parsed before. */
export class ExplainScripts {
  readonly #names = new Map<string, string>();
  #lastName = 0;

  constructor(private readonly session: PlanningSession) {}

  /**
   * A script that explains a statement while the indexes with these oids are the other way: valid
   * ones invalid, and the reverse.
   */
  async scriptFor(statement: Statement, switched: readonly number[]): Promise<string> {
    const explain = await this.#explain(statement);
    const script =
      switched.length === 0 ? [explain] : ['BEGIN', switchIndexes(switched), explain, 'ROLLBACK'];
    // A statement may end in a comment, which ends with its line.
    return script.join('\n;');
  }

  async #explain({ sql, parameters }: Statement): Promise<string> {
    const name = await this.#prepare(sql);
    // A plan for any value is made anew each time, as a prepared one outlives its indexes.
    if (parameters === undefined) return `EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) ${sql}`;
    // So does that of a prepared statement without parameters, which is planned once for all.
    if (parameters.length === 0) return `EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`;
    const values = parameters.map((value) => parameterLiteral(value)).join(', ');
    return `EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE ${name}(${values})`;
  }

  /** Parses a statement once, and makes sure that it is one. */
  async #prepare(sql: string): Promise<string> {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    const [oldest] = this.#names;
    if (oldest !== undefined && this.#names.size >= MAX_PREPARED) {
      this.#names.delete(oldest[0]);
      await this.session.run([{ sql: `DEALLOCATE ${oldest[1]}` }]);
    }
    this.#lastName += 1;
    const name = `statement_${this.#lastName}`;
    await refusing(this.session.run([{ sql: `PREPARE ${name} AS ${sql}` }]));
    this.#names.set(sql, name);
    return name;
  }
}

/** Turns PostgreSQL's refusal of a statement into an error of the advisor. */
export async function refusing<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw error instanceof StepError ? refusal(error) : error;
  }
}

function refusal(error: StepError): StatementRefusedError {
  const isAboutValues = DATA_EXCEPTION.test(error.code ?? '');
  const reason = isAboutValues ? 'a value does not fit where it stands' : error.message;
  // The cause of an error gets into logs, and messages about values quote them.
  return new StatementRefusedError(reason, error.code, isAboutValues ? undefined : error);
}

/** Turns candidates on and existing indexes off, until the transaction is rolled back. */
function switchIndexes(oids: readonly number[]): string {
  return `UPDATE pg_index SET indisvalid = NOT indisvalid WHERE indexrelid IN (${oids.join(', ')})`;
}
