import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  onRequestHookHandler,
  RouteOptions,
} from 'fastify';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { decoratedHandlers, Priority, type PriorityClass } from '#libs/http';
import { finalStatusOf, onRequestEnd } from '#libs/logging';
import { memoryPressure } from '../memory/memory-pressure.js';
import { AdmissionControl } from './admission-control.js';
import { admissionSettings, type AdmissionSettings } from './admission.settings.js';
import { HttpWaiter } from './http-waiter.js';
import { refuseRequest } from './refusal.js';
import type { RefusalCause } from './refusal-cause.js';
import { RouteLatency } from './route-latency.js';
import type { RouteTicket } from './route-ticket.js';
import { TIMEOUT_HEADER, timeoutOf } from './request-timeout.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What it was let in by, or waits by; null when it is neither at work nor in line, undefined when no route matched. */
    admission: RouteTicket | HttpWaiter | null | undefined;
  }
}

/** By which a client says that its request can wait. */
const PRIORITY_HEADER = 'x-priority';
const FAILED = 500;
const CLIENT_LEFT = 499;

/** The tickets of one route. */
interface RouteTickets {
  readonly own: RouteTicket;
  readonly batch: RouteTicket;
}

/**
 * Puts admission control and deadlines in front of every route, before its guards and before its
 * body is read.
 */
@Injectable()
export class FastifyAdmission implements OnApplicationShutdown {
  private settings: AdmissionSettings;
  private classes: ReadonlyMap<string, PriorityClass> | undefined;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly control: AdmissionControl,
    private readonly store: SettingsStore,
    private readonly clock: Clock,
    private readonly modules: ModulesContainer,
  ) {
    this.settings = store.get(admissionSettings);
  }

  /** Call it after `registerRequestContext`, and before routes are registered. */
  register(fastify: FastifyInstance): void {
    fastify.decorateRequest('admission', null);
    fastify.addHook('onRoute', (route) => this.onRoute(route));
    onRequestEnd(fastify, (request, reply, ms) => this.onEnd(request, reply, ms));
    this.stops.push(
      this.store.onChange(() => {
        this.settings = this.store.get(admissionSettings);
        this.control.configure(this.settings);
      }),
      memoryPressure.subscribe(({ level }) => {
        this.control.isMemoryCritical = level === 'critical';
      }),
    );
  }

  onApplicationShutdown(): void {
    for (const stop of this.stops.splice(0)) stop();
    this.control.close();
  }

  private onRoute(route: RouteOptions): void {
    const others = [route.onRequest ?? []].flat();
    // Fastify makes the route of HEAD of that of GET.
    if (others.some((hook) => hook.name === HOOK_NAME)) return;
    this.classes ??= decoratedHandlers(this.modules, Priority);
    const priority = this.classes.get(route.handler.name) ?? 'interactive';
    const latency = new RouteLatency();
    const own = { lane: this.control[priority], latency };
    const batch = priority === 'critical' ? own : { lane: this.control.batch, latency };
    const tickets = { own, batch };
    const hook: onRequestHookHandler = (request, reply, done) =>
      this.onRequest(tickets, request, reply, done);
    Object.defineProperty(hook, 'name', { value: HOOK_NAME });
    route.onRequest = [hook, ...others];
  }

  private onRequest(
    tickets: RouteTickets,
    request: FastifyRequest,
    reply: FastifyReply,
    done: HookHandlerDoneFunction,
  ): void {
    if (reply.raw.destroyed) {
      // The client has left while an earlier hook waited, so nobody would count it off again.
      reply.hijack();
      return;
    }
    const { settings } = this;
    const { headers } = request.raw;
    // Nobody can raise the class of a request.
    const ticket = headers[PRIORITY_HEADER] === 'batch' ? tickets.batch : tickets.own;
    const nowMs = this.clock.monotonicMs();
    const timeoutMs = timeoutOf(
      headers[TIMEOUT_HEADER],
      ticket.lane === this.control.interactive
        ? settings.interactiveTimeoutMs
        : ticket.lane === this.control.batch
          ? settings.batchTimeoutMs
          : 0,
      settings.maxTimeoutMs,
    );
    const deadlineMs = nowMs + timeoutMs;
    const context = request.requestContext;
    if (context !== null && deadlineMs !== Number.POSITIVE_INFINITY) {
      context.deadlineMs = deadlineMs;
    }
    if (!settings.enabled) done();
    else if (this.control.enter(ticket.lane, nowMs)) {
      request.admission = ticket;
      done();
    } else {
      const waiter = new HttpWaiter(ticket, nowMs, deadlineMs, request, reply, done, this.refuse);
      const cause = this.control.wait(waiter);
      if (cause === undefined) request.admission = waiter;
      else this.refuse(request, reply, ticket, cause);
    }
  }

  private readonly refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    { lane }: RouteTicket,
    cause: RefusalCause,
  ): void => refuseRequest(request, reply, cause, this.control.retryAfterSeconds(lane));

  private onEnd(request: FastifyRequest, reply: FastifyReply, durationMs: number): void {
    const { admission, requestContext } = request;
    // What goes on after the answer, nobody waits for.
    if (requestContext !== null) requestContext.deadlineMs = undefined;
    if (admission === null || admission === undefined) return;
    request.admission = null;
    let waitedMs = 0;
    let ticket: RouteTicket;
    if (admission instanceof HttpWaiter) {
      if (admission.line !== null) {
        this.control.drop(admission);
        return;
      }
      ({ ticket, waitedMs } = admission);
    } else ticket = admission;
    const status = finalStatusOf(reply);
    const isTelling = status < FAILED && status !== CLIENT_LEFT && !request.isEndless;
    this.control.leave(ticket, isTelling ? durationMs - waitedMs : undefined);
  }
}

const HOOK_NAME = 'admit';
