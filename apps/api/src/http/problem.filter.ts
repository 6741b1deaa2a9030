import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logRequestError, RootLogger } from '#libs/logging';
import { PROBLEM_MEDIA_TYPE, toProblemAnswer } from './problem-details.js';

/** Answers everything that is thrown with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: RootLogger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { problem, headers } = toProblemAnswer(thrown, request.id);
    logRequestError(this.log, thrown, problem);
    // Once a stream has begun its status is out; all that is left is to cut it short.
    if (reply.sent) {
      reply.raw.destroy();
      return;
    }
    void reply
      .status(problem.status)
      .headers(headers)
      .type(PROBLEM_MEDIA_TYPE)
      .serializer(JSON.stringify)
      .send(problem);
  }
}
