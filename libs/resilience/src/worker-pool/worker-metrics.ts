import type { CounterFamily, DurationFamily, MetricRegistry } from '#libs/metrics';
import type { WorkerPool, WorkReport } from './worker-pool.js';

/** Tasks with series of their own; their names are given by the code. */
const MAX_TASKS = 20;

/** What the threads for CPU work do, for operators. */
export class WorkerMetrics {
  private readonly tasks: CounterFamily<'task' | 'outcome'>;
  private readonly runs: DurationFamily<'task'>;
  private readonly waits: DurationFamily;

  constructor(private readonly registry: MetricRegistry) {
    this.tasks = registry.counter({
      name: 'worker_tasks_total',
      help: 'Pieces of CPU work by outcome; refused: the queue was full',
      labels: ['task', 'outcome'],
      maxLabelSets: MAX_TASKS * 3,
    });
    this.runs = registry.durations({
      name: 'worker_task_seconds',
      help: 'Time that threads worked on a piece of work',
      labels: ['task'],
      maxLabelSets: MAX_TASKS,
    });
    this.waits = registry.durations({
      name: 'worker_wait_seconds',
      help: 'Time that a piece of work waited for a thread',
    });
  }

  done({ task, outcome, waitedMs, runMs }: WorkReport): void {
    this.tasks.of(task, outcome).increment();
    if (outcome !== 'refused') this.waits.of().record(waitedMs);
    if (runMs !== undefined) this.runs.of(task).record(runMs);
  }

  /** @param pools by the length of the work that they are for */
  watch(pools: Readonly<Record<'short' | 'long', WorkerPool>>): void {
    const { registry } = this;
    const add = (name: string, help: string, read: (pool: WorkerPool) => number): void =>
      registry.gauge(name, help, () =>
        Object.entries(pools).map(([work, pool]) => ({ labels: { work }, value: read(pool) })),
      );
    add('worker_pool_size', 'Threads for CPU work, by its length', ({ size }) => size);
    add('worker_pool_busy', 'Threads that work', ({ busy }) => busy);
    add('worker_queue_length', 'Work that waits for a thread', (pool) => pool.queueLength);
    registry.addCollector({
      name: 'workers',
      collect: () => ({
        threads: pools.short.size + pools.long.size,
        busy: pools.short.busy + pools.long.busy,
        queueLength: pools.short.queueLength + pools.long.queueLength,
      }),
    });
  }
}
