/** What a handler knows about the run it is in, beside the payload. */
export interface JobRun {
  readonly id: string;
  readonly name: string;
  /** 1 for the first run of this job, 2 for its first retry. */
  readonly attempt: number;
  /** Aborted when the run takes too long or the process stops; `reason` says which. */
  readonly signal: AbortSignal;
  /** Stores how far the run is, a share from 0 to 1 or an object, for `GET /v1/jobs/:id`. */
  reportProgress(progress: number | Readonly<Record<string, unknown>>): Promise<void>;
}
