import type { JobDefinition } from './job-definition.js';
import type { ExpiredRows } from './purge/expired-rows.js';

/** What one module of the application adds to the jobs. */
export interface JobsFeatureOptions {
  /** Jobs that the module enqueues. The application starts only if each has its handler. */
  readonly jobs?: readonly JobDefinition[];
  /** Rows that the hourly purge deletes for the module. */
  readonly expiredRows?: readonly ExpiredRows[];
}

/** Carries the options of one `JobsModule.forFeature` to the explorer. */
export class JobsFeature {
  readonly jobs: readonly JobDefinition[];
  readonly expiredRows: readonly ExpiredRows[];

  constructor({ jobs = [], expiredRows = [] }: JobsFeatureOptions) {
    this.jobs = jobs;
    this.expiredRows = expiredRows;
  }
}
