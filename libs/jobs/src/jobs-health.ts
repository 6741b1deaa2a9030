import { messageOf } from '#libs/core';
import type { JobQueues } from './job-queues.js';
import type { JobRegistry } from './job-registry.js';

/** How many jobs of a queue are in which state. */
export interface QueueDepth {
  readonly queue: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** Whether the job store answers, and what is in it. */
export type JobsHealthReport = {
  readonly store: 'postgres' | 'redis';
  /** Queues whose jobs this process runs at present. */
  readonly serving: readonly string[];
} & (
  | { readonly status: 'up'; readonly queues: readonly QueueDepth[] }
  | { readonly status: 'down'; readonly reason: string }
);

export interface JobsHealthParts {
  readonly queues: JobQueues;
  readonly registry: JobRegistry;
  readonly serving: () => readonly string[];
  readonly timeoutMs: number;
}

/** Tells whether jobs can be stored and run. */
export class JobsHealth {
  constructor(private readonly parts: JobsHealthParts) {}

  /** Asks the store. Never rejects, and answers within `jobs.healthTimeoutMs`. */
  async check(): Promise<JobsHealthReport> {
    const { queues, registry, serving, timeoutMs } = this.parts;
    const common = { store: queues.backend.kind, serving: serving() };
    try {
      const names = [...registry.queues.keys()];
      const depths = await Promise.all(
        names.map((name) =>
          queues.use(
            name,
            async (queue): Promise<QueueDepth> => {
              const counts = await queue.getJobCounts(...COUNTED);
              return {
                queue: name,
                waiting: (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0),
                active: counts['active'] ?? 0,
                delayed: counts['delayed'] ?? 0,
                failed: counts['failed'] ?? 0,
              };
            },
            timeoutMs,
          ),
        ),
      );
      return { ...common, status: 'up', queues: depths };
    } catch (error) {
      return { ...common, status: 'down', reason: messageOf(error) };
    }
  }
}

const COUNTED = ['wait', 'prioritized', 'active', 'delayed', 'failed'] as const;
