import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { runWithContext } from '#libs/logging';
import type { RefusalCause } from './refusal-cause.js';
import type { RouteTicket } from './route-ticket.js';
import { Waiter } from './waiter.js';

/** A request of HTTP that waits in a hook of Fastify. */
export class HttpWaiter extends Waiter {
  constructor(
    ticket: RouteTicket,
    arrivedMs: number,
    deadlineMs: number,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly done: HookHandlerDoneFunction,
    private readonly answer: (
      request: FastifyRequest,
      reply: FastifyReply,
      ticket: RouteTicket,
      cause: RefusalCause,
    ) => void,
  ) {
    super(ticket, arrivedMs, deadlineMs);
  }

  proceed(): void {
    const { requestContext } = this.request;
    // Its turn comes in a callback of somebody else.
    if (requestContext === null) this.done();
    else runWithContext(requestContext, this.done);
  }

  refuse(cause: RefusalCause): void {
    this.request.admission = null;
    this.answer(this.request, this.reply, this.ticket, cause);
  }
}
