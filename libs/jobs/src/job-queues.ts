import { type Clock, isError, messageOf, PantheonError } from '#libs/core';
import type { BullQueue, JobBackend } from './backend/job-backend.js';
import { pause, within } from './deadline.js';
import { JobsUnavailableError } from './errors/job-errors.js';
import type { JobLog } from './job-log.js';
import { OutageLog } from './outage-log.js';

export interface JobQueuesOptions {
  readonly operationTimeoutMs: number;
  readonly log: JobLog;
  readonly clock: Clock;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/**
 * The way to the job store. Opens it in the background, as often as it takes, and lends queues
 * to operations that must end within a time limit, so that a store that is down or frozen costs
 * a request that time and never more.
 *
 *   closed ──start──▶ opening ──▶ open          (opening repeats until it succeeds)
 *      any ──close──▶ closed for good
 */
export class JobQueues {
  readonly outage: OutageLog;
  private readonly queues = new Map<string, BullQueue>();
  private readonly closing = new AbortController();
  private opening: Promise<void> | undefined;

  constructor(
    readonly backend: JobBackend,
    private readonly options: JobQueuesOptions,
  ) {
    this.outage = new OutageLog(options.log, options.clock);
  }

  /** Opens the store unless that has begun. Resolves once it is open, however long that takes. */
  start(): Promise<void> {
    this.opening ??= this.openUntilDone();
    return this.opening;
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /**
   * Runs `work` on a queue within the time limit.
   * @throws JobsUnavailableError when the store cannot be reached in that time
   */
  use<Result>(
    name: string,
    work: (queue: BullQueue) => Promise<Result>,
    timeoutMs = this.options.operationTimeoutMs,
  ): Promise<Result> {
    return this.withStore(async () => work(await this.ready(name)), timeoutMs);
  }

  /** Runs `work` on the store within the time limit. @throws JobsUnavailableError as `use` */
  async withStore<Result>(
    work: () => Promise<Result>,
    timeoutMs = this.options.operationTimeoutMs,
  ): Promise<Result> {
    if (this.isClosed) throw new JobsUnavailableError('it has been closed');
    try {
      return await within(
        timeoutMs,
        this.start().then(work),
        () => new JobsUnavailableError(`no answer within ${timeoutMs} ms`),
      );
    } catch (error) {
      throw isUnreachable(error) ? new JobsUnavailableError(messageOf(error), error) : error;
    }
  }

  /** Closes queues and connections, within about a second. May be called twice. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.closing.abort();
    const queues = [...this.queues.values()];
    this.queues.clear();
    await Promise.all(queues.map((queue) => discard(queue)));
    await this.backend.close();
  }

  private async openUntilDone(): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !this.isClosed;) {
      try {
        await this.backend.open();
        this.outage.over();
        return;
      } catch (error) {
        if (this.isClosed) break;
        this.outage.report(error);
        await pause(delayMs, this.closing.signal);
        delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS);
      }
    }
    throw new JobsUnavailableError('it has been closed');
  }

  private async ready(name: string): Promise<BullQueue> {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = this.backend.createQueue(name);
      queue.on('error', (error) => this.isClosed || this.outage.report(error));
      this.queues.set(name, queue);
    }
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      // BullMQ remembers a failed start for good: the next caller gets a new queue.
      if (this.queues.get(name) === queue) this.queues.delete(name);
      await discard(queue);
      throw error;
    }
  }
}

async function discard(queue: BullQueue): Promise<void> {
  // A queue whose start failed cannot be closed properly; its connections are the backend's.
  await within(1_000, queue.close(), () => new Error('slow')).catch(() => undefined);
}

const UNREACHABLE_CODE = /^(ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT)/;
const UNREACHABLE_MESSAGE =
  /^(Command timed out|Connection is closed|Stream isn't writeable|LOADING |MASTERDOWN |CLUSTERDOWN |READONLY )/;

function isUnreachable(error: unknown): boolean {
  if (!isError(error) || error instanceof PantheonError) return false;
  if (error.name === 'MaxRetriesPerRequestError') return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return UNREACHABLE_CODE.test(code) || UNREACHABLE_MESSAGE.test(error.message);
}
