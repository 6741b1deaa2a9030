import { Worker } from 'node:worker_threads';
import { PlannerStoppedError } from '../errors/planner-stopped.error.js';
import { type CompiledProgram, type PgliteExtension, pgliteModule } from './pglite-files.js';
import {
  type Reason,
  type Step,
  type StepResult,
  WORKER_PROGRAM,
  type WorkerAnswer,
} from './planning-worker.js';

export interface SessionOptions {
  readonly dataDir: string;
  readonly extensions?: Readonly<Record<string, PgliteExtension>>;
  /** PGlite's compiled program, when it is used more than once. */
  readonly program?: CompiledProgram | undefined;
  /** Arguments of initdb, when the folder is empty. */
  readonly initArguments?: readonly string[];
  /** After this the session ends and the request fails; default 60 s. */
  readonly requestTimeoutMs?: number;
}

interface Request {
  readonly resolve: (results: readonly StepResult[]) => void;
  readonly reject: (error: Error) => void;
}

/** Of PostgreSQL without processes beside it: nothing but planning will happen here. */
const START_ARGUMENTS = [
  '--single',
  // No fsync; system catalogs may be changed; statements end at semicolons.
  '-F',
  '-O',
  '-j',
  ...Object.entries({
    search_path: 'pg_catalog',
    exit_on_error: 'false',
    log_checkpoints: 'false',
    io_method: 'sync',
    shared_buffers: '16MB',
    autovacuum: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    // Planning in parallel goes by these, although nothing runs in parallel here.
    max_worker_processes: '64',
    max_parallel_workers: '64',
    jit: 'off',
    // Its log would quote statements and values.
    log_min_messages: 'panic',
    log_min_error_statement: 'panic',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];

/** Of a long list of steps each request has so many, as a request has a time limit. */
const STEPS_AT_ONCE = 200;

/**
 * PostgreSQL 18 of PGlite over a data folder, in a thread of its own. Requests are answered in
 * order. It keeps the process alive only while a request is under way.
 */
export class PlanningSession {
  readonly #worker: Worker;
  readonly #requests = new Map<number, Request>();
  readonly #timeoutMs: number;
  #lastId = 0;
  #stopped: Error | undefined;

  private constructor(options: SessionOptions) {
    this.#timeoutMs = options.requestTimeoutMs ?? 60_000;
    this.#worker = new Worker(WORKER_PROGRAM, {
      eval: true,
      // Loaders and flags of tests are not for this thread.
      execArgv: [],
      workerData: {
        module: pgliteModule(),
        extensions: options.extensions ?? {},
        options: {
          dataDir: options.dataDir,
          startParams: START_ARGUMENTS,
          initDbStartParams: options.initArguments ?? [],
          pgliteWasmModule: options.program,
        },
      },
    });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#stop(new PlannerStoppedError(error.message, error)));
    this.#worker.on('exit', () => this.#stop(new PlannerStoppedError('its thread ended')));
  }

  /** Starts PostgreSQL on the folder, after creating a cluster there when it is empty. */
  static async open(options: SessionOptions): Promise<PlanningSession> {
    const session = new PlanningSession(options);
    try {
      await session.#request(0, undefined);
    } catch (error) {
      await session.#worker.terminate();
      throw error;
    }
    return session;
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Runs steps up to the first that fails, and rejects with its reason. */
  async run(steps: readonly Step[]): Promise<readonly (readonly object[])[]> {
    return rowsOf(await this.#send({ steps }));
  }

  /**
   * Runs statements that stand in one text, much faster than as many steps; `recovery` runs when
   * one of them fails. What is not written here must be known to be one statement.
   */
  async script(script: string, recovery: string): Promise<readonly (readonly object[])[]> {
    return rowsOf(await this.#send({ script, recovery }));
  }

  /** Runs each step by itself and says why it failed, or undefined. */
  async attempt(steps: readonly Step[]): Promise<readonly (string | undefined)[]> {
    const reasons: (string | undefined)[] = [];
    for (let first = 0; first < steps.length; first += STEPS_AT_ONCE) {
      const some = steps.slice(first, first + STEPS_AT_ONCE);
      const results = await this.#send({ steps: some, attempt: true });
      for (const result of results) {
        reasons.push('error' in result ? result.error.message : undefined);
      }
    }
    return reasons;
  }

  /** The rows of one query. */
  async query<Row extends object>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<readonly Row[]> {
    const [rows = []] = await this.run([parameters === undefined ? { sql } : { sql, parameters }]);
    return rows as readonly Row[];
  }

  /** Shuts PostgreSQL down, so that its files are complete, and ends the thread. */
  async close(): Promise<void> {
    if (this.#stopped !== undefined) return;
    try {
      await this.#send({ close: true });
    } finally {
      await this.#worker.terminate();
    }
  }

  /** Ends the thread at once; the files may be incomplete. */
  async abandon(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(message: object): Promise<readonly StepResult[]> {
    this.#lastId += 1;
    return this.#request(this.#lastId, message);
  }

  #request(id: number, message: object | undefined): Promise<readonly StepResult[]> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#stop(new PlannerStoppedError(`no answer within ${this.#timeoutMs} ms`));
        void this.#worker.terminate();
      }, this.#timeoutMs);
      const settled = () => {
        clearTimeout(timer);
        if (this.#requests.size === 0) this.#worker.unref();
      };
      this.#requests.set(id, {
        resolve: (results) => (settled(), resolve(results)),
        reject: (error) => (settled(), reject(error)),
      });
      this.#worker.ref();
      if (message !== undefined) this.#worker.postMessage({ id, ...message }, []);
    });
  }

  #settle({ id, results = [], failure }: WorkerAnswer): void {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (failure === undefined) request?.resolve(results);
    else request?.reject(new PlannerStoppedError(failure.message));
  }

  #stop(error: Error): void {
    this.#stopped ??= error;
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(this.#stopped);
  }
}

function rowsOf(results: readonly StepResult[]): readonly (readonly object[])[] {
  return results.map((result) => {
    if ('error' in result) throw new StepError(result.error);
    return result.rows;
  });
}

/** PostgreSQL's own reason why a statement failed. */
export class StepError extends Error {
  readonly code: string | undefined;

  constructor({ message, code }: Reason) {
    super(message);
    this.code = code;
  }
}
