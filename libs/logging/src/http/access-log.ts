import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isoTime } from '../iso-time.js';
import { finalStatusOf, onRequestEnd } from './request-end.js';
import type { RootLogger } from '../root-logger.js';

/** Module name of the lines about HTTP; its level decides over the access log. */
export const HTTP_LOG_MODULE = 'http';

/**
 * Writes one line a request when its answer is out or its client has left: method, route template, status, duration,
 * bytes and ids. Never the URL, whose query may hold anything. `isEnabled` is asked each time.
 * Needs `registerRequestContext`.
 */
export function registerAccessLog(
  fastify: FastifyInstance,
  root: RootLogger,
  isEnabled: () => boolean = () => true,
): void {
  const access = new AccessLog(root.service);
  const logger = root.module(HTTP_LOG_MODULE);
  onRequestEnd(fastify, (request, reply, durationMs) => {
    const status = finalStatusOf(reply);
    const level = status < 500 ? 'info' : 'error';
    if (logger.isLevelEnabled(level) && isEnabled()) {
      root.writeRaw(level, access.line(level, status, durationMs, request, reply));
    }
  });
}

/**
 * Puts lines together by hand and from few pieces, most of them kept from earlier lines: each
 * field is known to need no masking and next to no escaping.
 */
class AccessLog {
  /** By route, then by status and method. */
  private readonly middles = new Map<string | undefined, Map<string, string>[]>();
  private readonly durations: string[] = [];
  private readonly start: string;
  private startMs = Number.NaN;
  private startOfMs: Record<'info' | 'error', string> = { info: '', error: '' };

  constructor(service: string) {
    this.start = `","service":${JSON.stringify(service)},"pid":${process.pid},"module":"${HTTP_LOG_MODULE}","requestId":"`;
  }

  line(
    level: 'info' | 'error',
    status: number,
    durationMs: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): string {
    const context = request.requestContext;
    const route = context === null ? request.routeOptions.url : context.route;
    const userId = context?.userId;
    const length = reply.getHeader('content-length');
    return (
      this.startAt(Date.now())[level] +
      request.id +
      this.middle(request.method, route, status) +
      this.duration(durationMs) +
      (length === undefined ? '' : `,"bytes":${Number(length)}`) +
      (userId === undefined ? '' : `,"userId":${JSON.stringify(userId)}`) +
      (reply.raw.writableFinished ? '' : ',"aborted":true') +
      ',"msg":"request"}\n'
    );
  }

  private startAt(nowMs: number): Record<'info' | 'error', string> {
    if (nowMs !== this.startMs) {
      const rest = `","time":"${isoTime(nowMs)}${this.start}`;
      this.startMs = nowMs;
      this.startOfMs = { info: `{"level":"info${rest}`, error: `{"level":"error${rest}` };
    }
    return this.startOfMs;
  }

  /** From the id to the duration. Routes, methods and statuses of a program are few. */
  private middle(method: string, route: string | undefined, status: number): string {
    let ofRoute = this.middles.get(route);
    if (ofRoute === undefined) {
      ofRoute = [];
      this.middles.set(route, ofRoute);
    }
    const ofStatus = (ofRoute[status] ??= new Map());
    let middle = ofStatus.get(method);
    if (middle === undefined) {
      const template = route === undefined ? 'null' : JSON.stringify(route);
      middle = `","method":"${method}","route":${template},"status":${status},"durationMs":`;
      ofStatus.set(method, middle);
    }
    return middle;
  }

  /** With two decimals. V8 takes 0.3 µs to print a fraction, so those of short times are kept. */
  private duration(ms: number): string {
    const hundredths = Math.round(ms * 100);
    if (hundredths >= KEPT_DURATIONS) return (hundredths / 100).toFixed(2);
    return (this.durations[hundredths] ??= (hundredths / 100).toFixed(2));
  }
}

const KEPT_DURATIONS = 5_000;
