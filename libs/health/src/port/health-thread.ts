import { Worker } from 'node:worker_threads';
import { PantheonError, threadFile } from '#libs/core';
import { HealthPortTakenError } from '../errors/health-port-taken.error.js';
import type { HealthSummary } from '../health-summaries.js';
import {
  type FromThread,
  type HealthThreadData,
  type ScrapeAnswer,
  type ScrapeRequest,
  Slot,
  type ToThread,
} from './health-port.messages.js';

export interface HealthThreadOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** The main thread counts as stalled when it has not turned for so long. */
  readonly stallMs: number;
  /** Longest wait for the metrics. */
  readonly scrapeTimeoutMs: number;
  readonly scrape: (request: ScrapeRequest) => Promise<ScrapeAnswer>;
  /** Called when the thread has died; it is started again. */
  readonly onDeath: (error: unknown) => void;
}

/** So often does the main thread show that it turns. */
const BEAT_MS = 100;
const RESTART_MS = 1_000;
/** The answers are small, and so is the program. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/**
 * Answers for the health of this process on a port and a thread of its own: also while the main
 * thread is too busy to answer anything. It goes by what the main thread says (`publish`, `drain`)
 * and by a clock that the main thread winds up as long as it turns.
 */
export class HealthThread {
  private readonly shared = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
  private readonly slots = new BigInt64Array(this.shared);
  private summary: HealthSummary | undefined;
  private worker: Worker | undefined;
  private beat: NodeJS.Timeout | undefined;
  private restart: NodeJS.Timeout | undefined;
  private listeningOn: number;
  private closed = false;

  constructor(private readonly options: HealthThreadOptions) {
    this.listeningOn = options.port;
  }

  /** The port that it listens on. */
  get port(): number {
    return this.listeningOn;
  }

  /**
   * Resolves when the port answers.
   * @throws HealthPortTakenError when it belongs to another process
   */
  async start(): Promise<void> {
    this.turn();
    this.beat = setInterval(() => this.turn(), BEAT_MS).unref();
    try {
      await this.run();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** What is known of the components from now on. */
  publish(summary: HealthSummary): void {
    this.summary = summary;
    this.tell({ type: 'summary', summary });
  }

  /** Makes the process not ready, at once. */
  drain(): void {
    Atomics.store(this.slots, Slot.draining, 1n);
  }

  /** Closes the port. May be called twice. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.beat);
    clearTimeout(this.restart);
    await this.worker?.terminate();
  }

  private turn(): void {
    Atomics.store(this.slots, Slot.turnedAt, process.hrtime.bigint());
  }

  private run(): Promise<void> {
    const { host, stallMs, scrapeTimeoutMs } = this.options;
    const workerData: HealthThreadData = {
      host,
      port: this.listeningOn,
      stallMs,
      scrapeTimeoutMs,
      shared: this.shared,
    };
    const worker = new Worker(threadFile('health', import.meta.url), {
      name: 'health',
      workerData,
      resourceLimits: RESOURCE_LIMITS,
    });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      let isUp = false;
      worker.on('message', (message: FromThread) => {
        if (message.type === 'scrape') void this.scrape(worker, message.id, message.request);
        else if (message.type === 'failed') {
          reject(this.toError(message.code, message.message));
          void worker.terminate();
        } else {
          isUp = true;
          this.listeningOn = message.port;
          // It is there for the process, and not the process for it.
          worker.unref();
          if (this.summary !== undefined) this.publish(this.summary);
          resolve();
        }
      });
      worker.on('error', (error) => {
        if (isUp) this.options.onDeath(error);
        else reject(error);
      });
      worker.on('exit', (code) => {
        if (isUp) this.runAgain();
        else reject(new Error(`The thread of the health port ended with exit code ${code}.`));
      });
    });
  }

  private runAgain(): void {
    if (this.closed) return;
    this.restart = setTimeout(() => {
      this.run().catch((error: unknown) => {
        this.options.onDeath(error);
        this.runAgain();
      });
    }, RESTART_MS).unref();
  }

  private async scrape(worker: Worker, id: number, request: ScrapeRequest): Promise<void> {
    const answer = await this.options.scrape(request);
    worker.postMessage({ type: 'scraped', id, answer } satisfies ToThread);
  }

  private tell(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  private toError(code: string, message: string): PantheonError {
    if (code === 'EADDRINUSE') return new HealthPortTakenError(this.listeningOn);
    return new PantheonError(
      'HEALTH_PORT_UNUSABLE',
      `The health port cannot be opened: ${message}. Set PANTHEON_HEALTH_PORT and PANTHEON_HEALTH_HOST.`,
      { kind: 'conflict' },
    );
  }
}
