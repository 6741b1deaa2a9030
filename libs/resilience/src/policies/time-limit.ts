export interface TimeLimit {
  readonly ms: number;
  /** What the work is rejected with when the time is up. */
  readonly makeError: () => Error;
  /** Of the caller; its reason is what the work is rejected with. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Does `work` for at most so long. Its signal is aborted when the time is up or the caller gives up,
 * and the rejection does not wait until it has noticed.
 */
export function withinTime<Result>(
  { ms, makeError, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  if (ms <= 0) return Promise.reject(makeError());
  return new Promise<Result>((resolve, reject) => {
    const controller = new AbortController();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
    const giveUp = (error: unknown): void => {
      end();
      reject(error);
      controller.abort(error);
    };
    const cancel = (): void => giveUp(signal?.reason);
    const timer = setTimeout(() => giveUp(makeError()), ms);
    timer.unref();
    signal?.addEventListener('abort', cancel);
    void start(work, controller.signal).then(resolve, reject).finally(end);
  });
}

/** Resolves after `ms`; rejects with the reason of `signal` once that is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    }, ms);
    timer.unref();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

async function start<Result>(
  work: (signal: AbortSignal) => Promise<Result> | Result,
  signal: AbortSignal,
): Promise<Result> {
  return work(signal);
}
