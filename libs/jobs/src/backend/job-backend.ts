import type { IQueueBackend, Job, Processor, Queue, Worker } from 'bullmq';
import type { JobEnvelope as Envelope } from '../job-envelope.js';

/** A BullMQ queue whatever holds it. */
export type BullQueue = Queue<Envelope, unknown, string, Envelope, unknown, string, IQueueBackend>;
export type BullWorker = Worker<Envelope, unknown, string, IQueueBackend>;
export type BullJob = Job<Envelope, unknown>;
export type BullProcessor = Processor<Envelope, unknown>;

/** What a worker needs to know beside its queue. */
export interface WorkerTuning {
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly maxStalledCount: number;
  readonly pollIntervalMs: number;
}

/**
 * Where BullMQ keeps jobs. Queues and workers of one backend share its connections; the owner
 * closes workers and queues before the backend.
 */
export abstract class JobBackend {
  abstract readonly kind: 'postgres' | 'redis';

  /**
   * Loads BullMQ, connects, and prepares the store. May be called again after a failure.
   * @throws when the store cannot be reached or used
   */
  abstract open(): Promise<void>;

  abstract createQueue(name: string): BullQueue;

  abstract createWorker(name: string, process: BullProcessor, tuning: WorkerTuning): BullWorker;

  /** All queues that the store knows, `current` included: also those that no job uses any more. */
  abstract knownQueues(current: readonly string[]): Promise<string[]>;

  /** Ends every connection, without waiting for a store that does not answer. */
  abstract close(): Promise<void>;
}
