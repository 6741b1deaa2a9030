import { type Fault, PantheonError } from '#libs/core';

/** A payload does not fit the schema of its job. */
export class JobPayloadInvalidError extends PantheonError {
  constructor(job: string, faults: readonly Fault[]) {
    const list = faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
    super('JOB_PAYLOAD_INVALID', `The payload of job "${job}" is invalid: ${list}`, {
      kind: 'invalid',
      faults,
    });
  }
}

/** A payload is larger than `jobs.maxPayloadBytes`. */
export class JobPayloadTooLargeError extends PantheonError {
  constructor(job: string, bytes: number, maxBytes: number) {
    super(
      'JOB_PAYLOAD_TOO_LARGE',
      `The payload of job "${job}" has ${bytes} bytes, more than the ${maxBytes} of jobs.maxPayloadBytes. Store the data and enqueue its id.`,
      { kind: 'too-large' },
    );
  }
}

/** Jobs, handlers and schedules do not fit together; the message lists every fault and remedy. */
export class JobSetupError extends PantheonError {
  constructor(problems: readonly string[]) {
    super(
      'JOB_SETUP_INVALID',
      `The jobs of this application are incomplete:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
      { kind: 'internal' },
    );
  }
}

/** The store of the jobs does not answer, or has not been reached yet. */
export class JobsUnavailableError extends PantheonError {
  constructor(what: string, cause?: unknown) {
    super('JOBS_UNAVAILABLE', `The job queue cannot be reached: ${what}. Try again.`, {
      kind: 'unavailable',
      retryAfterSeconds: 2,
      cause,
    });
  }
}

/** No job with this id, or it has been removed since. */
export class JobNotFoundError extends PantheonError {
  constructor(id: string) {
    super('JOB_NOT_FOUND', `There is no job "${id}". Finished jobs are removed after a while.`, {
      kind: 'not-found',
    });
  }
}

/** Only a job that has finished can be run again. */
export class JobNotFinishedError extends PantheonError {
  constructor(id: string, state: string) {
    super(
      'JOB_NOT_FINISHED',
      `Job "${id}" is ${state}; only a failed or completed job can be retried.`,
      { kind: 'conflict' },
    );
  }
}

/** A run took longer than it may. Reason of `run.signal`. */
export class JobTimeoutError extends PantheonError {
  constructor(job: string, timeoutMs: number) {
    super(
      'JOB_TIMEOUT',
      `Job "${job}" ran for longer than ${timeoutMs} ms (timeoutMs of its definition, or jobs.timeoutMs).`,
      { kind: 'timeout' },
    );
  }
}

/** The process stops before the run is done; the job goes back to its queue. */
export class JobInterruptedError extends PantheonError {
  constructor(job: string) {
    super('JOB_INTERRUPTED', `Job "${job}" was interrupted because the process stops.`, {
      kind: 'unavailable',
    });
  }
}

/** A stored job is of a kind that this version of the application does not know. */
export class JobUnknownError extends PantheonError {
  constructor(job: string) {
    super(
      'JOB_UNKNOWN',
      `No handler of this application runs "${job}". It was renamed or removed, or another version enqueued it.`,
      { kind: 'internal' },
    );
  }
}

/** A job is enqueued that no module of the application has declared. */
export class JobNotDeclaredError extends PantheonError {
  constructor(job: string) {
    super(
      'JOB_NOT_DECLARED',
      `Job "${job}" has no handler in this application. Import the module whose provider has @JobHandler for it, or name the job in JobsModule.forFeature({ jobs: [ … ] }) to have that checked at start.`,
      { kind: 'internal' },
    );
  }
}

/** A schedule that is made at run time cannot be followed. */
export class JobScheduleInvalidError extends PantheonError {
  constructor(id: string, faults: readonly string[]) {
    super('JOB_SCHEDULE_INVALID', `Schedule "${id}" is invalid: ${faults.join('; ')}.`, {
      kind: 'invalid',
      faults: faults.map((message) => ({
        path: 'schedule',
        code: 'JOB_SCHEDULE_INVALID',
        message,
      })),
    });
  }
}

/** The tables of the jobs are missing or old, and this process may not change them. */
export class JobStoreOutdatedError extends PantheonError {
  constructor(version: number) {
    super(
      'JOB_STORE_OUTDATED',
      `The schema "bullmq" is at version ${version}, which is too old, and database.migrateOnStart is off. Run \`pantheon migrate\`.`,
      { kind: 'unavailable' },
    );
  }
}
