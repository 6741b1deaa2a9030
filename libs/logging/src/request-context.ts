import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';
import { newRequestId } from './http/request-id.js';

/** Where in a distributed trace a piece of work stands (W3C Trace Context). */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * What is known of the request or job that the code at hand works for. Its fields stand in
 * every line logged meanwhile.
 */
export interface RequestContext {
  readonly requestId: string;
  /** Template such as `/v1/sources/:id`, never the URL itself. */
  readonly route: string | undefined;
  readonly jobId: string | undefined;
  /** Known once the caller is authenticated. */
  userId: string | undefined;
  /** Of the caller; known together with `userId`. Does not stand in lines. */
  organizationId: string | undefined;
  trace: TraceContext | undefined;
  /**
   * When the caller stops waiting, on the clock of `performance.now()`; undefined: never, or its answer
   * is out. Work that nobody would wait for is not begun after it.
   */
  deadlineMs: number | undefined;
  /** The credential, such as an API key, that limits the caller to a scope. Does not stand in lines. */
  limitedBy?: string;
  /** A header of the request by its name in lower case; absent outside a request. */
  header?(name: string): string | undefined;
  /** Address of the client, as far as proxies are trusted; absent outside a request. */
  address?(): string | undefined;
}

/** Fields of a context that its maker knows. */
export type ContextFields = {
  readonly [
    Name in Exclude<keyof RequestContext, 'header' | 'address' | 'limitedBy'>
  ]?: RequestContext[Name];
};

const storage = new AsyncLocalStorage<RequestContext>();

/** Makes a context; without a `requestId` it gets a new one. */
export function createContext(fields: ContextFields = {}): RequestContext {
  return {
    requestId: fields.requestId ?? newRequestId(),
    route: fields.route,
    jobId: fields.jobId,
    userId: fields.userId,
    organizationId: fields.organizationId,
    trace: fields.trace,
    deadlineMs: fields.deadlineMs,
  };
}

/** The context of the code that runs now; undefined outside any request or job. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and all that it starts, in `context`, or outside any. Returns what `work` returns. */
export function runWithContext<Result>(
  context: RequestContext | undefined,
  work: () => Result,
): Result {
  return storage.run(context as RequestContext, work);
}

/**
 * Runs what the request at hand has caused and does not wait for, or what others wait for as well: in
 * the same context, but without its deadline.
 */
export function runBeyondDeadline<Result>(work: () => Result): Result {
  const context = storage.getStore();
  if (context?.deadlineMs === undefined) return work();
  // The rest is read from the context itself, which may yet learn who asks.
  const beyond = Object.create(context) as RequestContext;
  beyond.deadlineMs = undefined;
  return storage.run(beyond, work);
}

const storedContextSchema = z.object({
  requestId: z.string().min(1).max(128),
  route: z.string().max(512).optional(),
  userId: z.string().max(128).optional(),
  organizationId: z.string().max(128).optional(),
  trace: z.object({ traceId: z.string().max(64), spanId: z.string().max(32) }).optional(),
});

/** A context as plain JSON, to be carried in a job or a message. */
export type StoredContext = z.infer<typeof storedContextSchema>;

/** The current context in a form that can be stored; undefined outside any. */
export function captureContext(): StoredContext | undefined {
  const context = storage.getStore();
  if (context === undefined) return undefined;
  const { requestId, route, userId, organizationId, trace } = context;
  return {
    requestId,
    ...(route !== undefined && { route }),
    ...(userId !== undefined && { userId }),
    ...(organizationId !== undefined && { organizationId }),
    ...(trace !== undefined && { trace: { traceId: trace.traceId, spanId: trace.spanId } }),
  };
}

/**
 * The context of work that was started by a stored one, so that a job's lines carry the id of
 * the request that caused it. Anything that is no stored context gives a fresh one.
 */
export function restoreContext(stored: unknown, fields: ContextFields = {}): RequestContext {
  const parsed = storedContextSchema.safeParse(stored);
  return createContext({ ...(parsed.success ? parsed.data : {}), ...fields });
}
