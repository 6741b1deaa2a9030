import type { QueryResult } from 'pg';
import type { StatementCall } from './statement-observer.js';

/** May answer statements of a pool itself. */
export abstract class StatementInterceptor {
  /** The answer, or undefined to have the statement sent. `execute` sends it. */
  abstract intercept(
    call: StatementCall,
    execute: () => Promise<QueryResult>,
  ): Promise<QueryResult> | undefined;
}
