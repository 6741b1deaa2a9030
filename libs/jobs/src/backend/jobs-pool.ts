import { isError } from '#libs/core';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';
import type { Pool, PoolClient } from 'pg';
import { pause } from '../deadline.js';

export interface JobsPoolOptions {
  readonly url: string;
  readonly schema: string;
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
  readonly onError: (error: Error) => void;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * The connections of the jobs to PostgreSQL, in the shape that BullMQ takes. It gives the errors
 * of lost connections the code by which BullMQ knows that waiting helps; any other error it
 * reports and tries again at once, which would turn an outage into a busy loop.
 */
export class JobsPool implements PgPool {
  /** BullMQ asks whether it may trust a silent connection. */
  readonly options = { keepAlive: true };
  private readonly clients = new Set<PoolClient>();
  private ended: Promise<void> | undefined;

  private constructor(private readonly pool: Pool) {
    pool.on('connect', (client) => {
      this.clients.add(client);
      // A lost connection fails the query that waits on it. Between two queries of its holder
      // there is none, and an error that nobody listens to would end the process.
      client.on('error', () => undefined);
    });
    pool.on('remove', (client) => this.clients.delete(client));
  }

  static async create(options: JobsPoolOptions): Promise<JobsPool> {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize,
      connectionTimeoutMillis: options.connectTimeoutMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
      application_name: options.applicationName,
      options: `-c search_path=${options.schema}`,
    });
    pool.setMaxListeners(0);
    pool.on('error', options.onError);
    return new JobsPool(pool);
  }

  /** Makes room for one more connection that is held for long; the result takes it back. */
  grow(): () => void {
    this.pool.options.max += 1;
    return () => {
      this.pool.options.max -= 1;
    };
  }

  async query<Row>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<Row>> {
    try {
      const { rows, rowCount } = await this.pool.query(text, params as unknown[]);
      return { rows: rows as Row[], rowCount };
    } catch (error) {
      throw asBullMqExpects(error);
    }
  }

  async connect(): Promise<PgPoolClient> {
    try {
      const client = await this.pool.connect();
      client.setMaxListeners(0);
      return client;
    } catch (error) {
      throw asBullMqExpects(error);
    }
  }

  on(event: 'error' | 'connect', listener: (argument: never) => void): this {
    this.pool.on(event as 'error', listener as (error: Error) => void);
    return this;
  }

  removeAllListeners(): this {
    return this;
  }

  /** Ends every connection; one that is not given back in time is cut. May be called twice. */
  end(): Promise<void> {
    this.ended ??= this.endNow();
    return this.ended;
  }

  private async endNow(): Promise<void> {
    const done = new AbortController();
    const ended = this.pool.end().finally(() => done.abort());
    await Promise.race([ended, pause(CLOSE_TIMEOUT_MS, done.signal)]);
    for (const client of this.clients) {
      socketOf(client)?.destroy();
    }
  }
}

/** pg keeps the socket to itself; there is no other way to give a frozen server up. */
function socketOf(client: PoolClient): { destroy(): void } | undefined {
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection
    ?.stream;
}

/** SQLSTATE of PostgreSQL's appendix A: five characters, of which none starts with an E. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** Connection exceptions, shutdown and start-up of the server, and lack of its resources. */
const PASSING_SQLSTATE = /^(08|53|57P0)/;

function asBullMqExpects(error: unknown): unknown {
  if (!isError(error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const isStatementError =
    code !== undefined && SQLSTATE.test(code) && !PASSING_SQLSTATE.test(code);
  if (isStatementError || code === 'ECONNREFUSED') return error;
  return Object.assign(
    new Error(error.message || 'PostgreSQL cannot be reached', { cause: error }),
    {
      code: 'ECONNREFUSED',
    },
  );
}
