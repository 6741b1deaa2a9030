import { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendAsIs } from '#libs/http';
import { ResponseNotCacheableError } from './errors/response-not-cacheable.error.js';

/** What a handler answered, as it would have gone out. */
export interface CapturedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, number | string | string[] | undefined>>;
  /** A text, bytes or nothing; else a stream, which can be sent once. */
  readonly payload: unknown;
  /** What was given to the serialiser; undefined for a text, bytes, a stream or nothing. */
  readonly value: unknown;
}

/** Runs the rest of the pipeline for a request. */
export type Run = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const CAPTURE = Symbol('pantheon:response-capture');

interface Capture {
  value: unknown;
  settle(answer: CapturedAnswer): void;
}

interface CapturingReply {
  [CAPTURE]?: Capture;
}

type ReplyConstructor = new (
  raw: ServerResponse,
  request: FastifyRequest,
  log: FastifyReply['log'],
) => FastifyReply;

/**
 * What the pipeline answers to a request, with nothing sent to anybody: it is given a reply of its
 * own, which Fastify fills as any other (status, headers, serialiser), so that the bytes are the
 * same. The route must have the hooks `captureValue` and `captureAnswer`.
 */
export function capture(
  request: FastifyRequest,
  reply: FastifyReply,
  run: Run,
): Promise<CapturedAnswer> {
  return new Promise((resolve, reject) => {
    const raw = new UnsentResponse(request.raw);
    // Fastify has no other way to a second reply for a request. `log` is the request's.
    const own = new (reply.constructor as unknown as ReplyConstructor)(raw, request, reply.log);
    sendAsIs(own);
    (own as CapturingReply)[CAPTURE] = { value: undefined, settle: resolve };
    const hijacked = (): void => {
      reject(new ResponseNotCacheableError(request.routeOptions.url ?? '', 'it writes by itself'));
    };
    raw.onForeignWrite = hijacked;
    const finish = async (): Promise<void> => {
      await run(request, own);
      // Settled long before, unless the handler took the reply into its own hands.
      if (own.sent) hijacked();
    };
    finish().catch(reject);
  });
}

/** For `preSerialization` of a route. */
export function captureValue(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const capturing = (reply as CapturingReply)[CAPTURE];
  if (capturing !== undefined) capturing.value = payload;
  done(null, payload);
}

/** For `onSend` of a route, after all others that change what is sent. */
export function captureAnswer(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const capturing = (reply as CapturingReply)[CAPTURE];
  if (capturing === undefined) {
    done(null, payload);
    return;
  }
  const { statusCode: status } = reply;
  const headers = reply.getHeaders();
  capturing.settle({ status, headers, payload, value: capturing.value });
  // A stream has one reader, and that is not this reply.
  if (isReady(payload)) done(null, payload);
}

/** Whether a payload is all there, so that it can be kept and sent more than once. */
export function isReady(payload: unknown): payload is string | Buffer | undefined | null {
  return payload === undefined || payload === null || isBytes(payload);
}

function isBytes(payload: unknown): payload is string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload);
}

/** The raw response of a captured answer: takes everything and sends nothing. */
class UnsentResponse extends ServerResponse {
  onForeignWrite: () => void = () => undefined;

  override writeHead(): this {
    return this;
  }

  override write(): boolean {
    this.onForeignWrite();
    return true;
  }

  override end(): this {
    this.finished = true;
    this.emit('finish');
    this.emit('close');
    return this;
  }
}
