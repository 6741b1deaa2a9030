import { PantheonError } from '#libs/core';

/** More CPU work waits for a thread than may. */
export class WorkerQueueFullError extends PantheonError {
  constructor(task: string, waiting: number) {
    super(
      'WORKER_QUEUE_FULL',
      `${waiting} pieces of work wait for a thread already (workers.maxQueue); "${task}" was not begun. Try again.`,
      { kind: 'unavailable', retryAfterSeconds: 1 },
    );
  }
}

/** The thread of a piece of work ended before the work did, as one without memory does. */
export class WorkerCrashedError extends PantheonError {
  constructor(
    readonly task: string,
    cause: unknown,
  ) {
    super('WORKER_CRASHED', `The thread that did "${task}" has ended.`, {
      kind: 'internal',
      cause,
    });
  }
}

/** A piece of work threw. */
export class WorkerTaskFailedError extends PantheonError {
  constructor(
    readonly task: string,
    cause: Error,
  ) {
    super('WORKER_TASK_FAILED', `"${task}" failed: ${cause.message}`, { kind: 'internal', cause });
  }
}

/** A piece of work took longer than it may; its thread was ended. */
export class WorkerTaskTimedOutError extends PantheonError {
  constructor(task: string, afterMs: number) {
    super(
      'WORKER_TASK_TIMED_OUT',
      `"${task}" was stopped after ${Math.round(afterMs)} ms (workers.taskTimeoutMs).`,
      { kind: 'timeout' },
    );
  }
}

/** The process ends, or the pool was closed. */
export class WorkersClosedError extends PantheonError {
  constructor(task: string) {
    super('WORKERS_CLOSED', `"${task}" was not finished: the process ends.`, {
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
  }
}
