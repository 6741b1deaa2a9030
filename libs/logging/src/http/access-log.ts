import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isoTime } from '../iso-time.js';
import type { LineLevel } from '../log-level.js';
import type { RootLogger } from '../root-logger.js';

/** Module name of the lines about HTTP; its level decides over the access log. */
export const HTTP_LOG_MODULE = 'http';

/**
 * Writes one line a request when its answer is out: method, route template, status, duration,
 * bytes and ids. Never the URL, whose query may hold anything. `isEnabled` is asked each time.
 */
export function registerAccessLog(
  fastify: FastifyInstance,
  root: RootLogger,
  isEnabled: () => boolean = () => true,
): void {
  const access = new AccessLog(root);
  const logger = root.module(HTTP_LOG_MODULE);
  fastify.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode < 500 ? 'info' : 'error';
    if (logger.isLevelEnabled(level) && isEnabled()) access.write(level, request, reply);
    done();
  });
}

/**
 * Puts the lines together by hand, because each field is known to need no masking and next to
 * no escaping: a third of what a general serialiser takes.
 */
class AccessLog {
  private readonly tail: string;
  private readonly routes = new Map<string, string>();

  constructor(private readonly root: RootLogger) {
    this.tail = `","service":${JSON.stringify(root.service)},"pid":${process.pid},"module":"${HTTP_LOG_MODULE}","requestId":"`;
  }

  write(level: LineLevel, request: FastifyRequest, reply: FastifyReply): void {
    const context = request.requestContext;
    const route = request.routeOptions.url;
    const length = reply.getHeader('content-length');
    const line =
      `{"level":"${level}","time":"${isoTime(Date.now())}${this.tail}${request.id}"` +
      `,"method":"${request.method}","route":${route === undefined ? 'null' : this.quoted(route)}` +
      `,"status":${reply.statusCode},"durationMs":${Math.round(reply.elapsedTime * 100) / 100}` +
      (length === undefined ? '' : `,"bytes":${Number(length)}`) +
      (context?.userId === undefined ? '' : `,"userId":${JSON.stringify(context.userId)}`) +
      (reply.raw.writableFinished ? '' : ',"aborted":true') +
      ',"msg":"request"}\n';
    this.root.writeRaw(level, line);
  }

  /** Templates are the routes of the program, so their number is bounded. */
  private quoted(route: string): string {
    let quoted = this.routes.get(route);
    if (quoted === undefined) {
      quoted = JSON.stringify(route);
      this.routes.set(route, quoted);
    }
    return quoted;
  }
}
