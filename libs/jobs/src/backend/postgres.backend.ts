import type * as BullMq from 'bullmq';
import {
  type BullProcessor,
  type BullQueue,
  type BullWorker,
  JobBackend,
  type WorkerTuning,
} from './job-backend.js';
import { JobStoreOutdatedError } from '../errors/job-errors.js';
import { JobsPool } from './jobs-pool.js';
import { workerOptions } from './worker-options.js';

export interface PostgresJobBackendOptions {
  readonly url: string;
  /** Connections beside those that wait for notifications, one for each worker. */
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  /** Whether `open` may set up and upgrade BullMQ's schema. */
  readonly migrate: boolean;
  readonly applicationName: string;
  /** Errors of connections that nobody waits on. */
  readonly onError: (error: Error) => void;
}

const SCHEMA = 'bullmq';

/**
 * Longest sleep of a worker that waits for a notification or the next delayed job. BullMQ's own
 * hour is too long: a worker sleeps through it when its look-up of the next delayed job fails.
 */
const LONGEST_BLOCK_SECONDS = 10;

/** Keeps jobs in the schema `bullmq` of a PostgreSQL database. */
export class PostgresJobBackend extends JobBackend {
  readonly kind = 'postgres';
  private bullmq: typeof BullMq | undefined;
  private pool: JobsPool | undefined;

  constructor(private readonly options: PostgresJobBackendOptions) {
    super();
  }

  async open(): Promise<void> {
    await this.openAt();
  }

  /** Like `open`. @returns the version that BullMQ's schema was brought to, if it was older */
  async openAt(): Promise<number | undefined> {
    const bullmq = (this.bullmq ??= await import('bullmq'));
    const pool = (this.pool ??= await JobsPool.create({ ...this.options, schema: SCHEMA }));
    const client = await pool.connect();
    try {
      const installed = await installedVersion(bullmq, client);
      if (installed >= bullmq.LATEST_SCHEMA_VERSION) return undefined;
      if (!this.options.migrate) throw new JobStoreOutdatedError(installed);
      return await bullmq.runMigrations(client, SCHEMA);
    } finally {
      client.release();
    }
  }

  createQueue(name: string): BullQueue {
    const { bullmq, pool } = this.opened();
    return new bullmq.Queue(name, { connection: pool }, factory(bullmq)) as unknown as BullQueue;
  }

  createWorker(name: string, process: BullProcessor, tuning: WorkerTuning): BullWorker {
    const { bullmq, pool } = this.opened();
    const shrink = pool.grow();
    const options = { connection: pool, ...workerOptions(tuning) };
    const worker = new bullmq.Worker(name, process, options, factory(bullmq));
    worker.once('closed', shrink);
    return worker as unknown as BullWorker;
  }

  async knownQueues(current: readonly string[]): Promise<string[]> {
    const { rows } = await this.opened().pool.query<{ queue: string }>(
      'SELECT queue FROM meta UNION SELECT unnest($1::text[]) ORDER BY queue',
      [current],
    );
    return rows.map(({ queue }) => queue);
  }

  async close(): Promise<void> {
    await this.pool?.end();
  }

  private opened(): { bullmq: typeof BullMq; pool: JobsPool } {
    const { bullmq, pool } = this;
    if (bullmq === undefined || pool === undefined) {
      throw new TypeError('The job backend has not been opened.');
    }
    return { bullmq, pool };
  }
}

function factory(
  bullmq: typeof BullMq,
): BullMq.BackendFactory<BullMq.PostgresQueueBackend, BullMq.PostgresConnectionOptions> {
  return (name, options, kind) => {
    const backend = bullmq.createPostgresBackend(name, options, kind);
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: LONGEST_BLOCK_SECONDS });
    return backend;
  };
}

/** 0 when BullMQ has never been set up in this database. */
async function installedVersion(
  bullmq: typeof BullMq,
  client: BullMq.PgPoolClient,
): Promise<number> {
  try {
    return await bullmq.assertSchemaCompatibility(client, SCHEMA);
  } catch (error) {
    if (error instanceof bullmq.SchemaMigrationRequiredError) return 0;
    throw error;
  }
}
