import { hostname } from 'node:os';
import type { WorkerOptions } from 'bullmq';
import type { WorkerTuning } from './job-backend.js';

/** Longest wait before a worker asks a store again that did not answer. */
const RETRY_DELAY_MS = 1_000;

/** The settings of a worker in BullMQ's terms and units. */
export function workerOptions(tuning: WorkerTuning): Omit<WorkerOptions, 'connection'> {
  return {
    name: `${hostname()}:${process.pid}`.slice(-40),
    // The owner starts it once its errors have a listener.
    autorun: false,
    concurrency: tuning.concurrency,
    lockDuration: tuning.lockDurationMs,
    stalledInterval: tuning.stalledIntervalMs,
    maxStalledCount: tuning.maxStalledCount,
    drainDelay: tuning.pollIntervalMs / 1_000,
    runRetryDelay: RETRY_DELAY_MS,
  };
}
