/** What is stored of a job: its payload, and where the request that enqueued it came from. */
export interface JobEnvelope {
  readonly payload: unknown;
  /** Ids of the request that enqueued it, for its log lines. */
  readonly context?: object;
  /** Of a scheduled job: whether code declares the schedule, or it was made at run time. */
  readonly schedule?: 'declared' | 'dynamic';
}
