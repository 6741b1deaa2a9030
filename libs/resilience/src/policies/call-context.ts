/** What a guarded call knows of its guard. A decorated method gets it in a parameter of this type. */
export class CallContext {
  constructor(
    /** Aborted when the call has no more time, or nobody waits for it any more. */
    readonly signal: AbortSignal,
    /** 1 for the first attempt. */
    readonly attempt: number,
    /** Milliseconds that this attempt has. */
    readonly timeoutMs: number,
  ) {}
}

/** Work for somebody else, such as an answer that is asked for over the network. */
export type GuardedCall<Result> = (context: CallContext) => Promise<Result> | Result;
