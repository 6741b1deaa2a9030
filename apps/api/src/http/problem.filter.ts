import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toProblemAnswer } from './problem-details.js';

/** Answers everything that is thrown with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly onError: (
      error: unknown,
      answer: { readonly status: number; readonly code: string; readonly requestId: string },
    ) => void,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { problem, headers } = toProblemAnswer(thrown, request.id);
    this.onError(thrown, problem);
    // Once a stream has begun its status is out; all that is left is to cut it short.
    if (reply.sent) {
      reply.raw.destroy();
      return;
    }
    void reply
      .status(problem.status)
      .headers(headers)
      .type('application/problem+json')
      .serializer(JSON.stringify)
      .send(problem);
  }
}
