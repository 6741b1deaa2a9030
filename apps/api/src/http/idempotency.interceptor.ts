import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, finalize, from, mergeMap, type Observable, of, throwError } from 'rxjs';
import { PantheonError } from '#libs/core';
import { type AuthenticatedRequest, Idempotent, type IdempotentOptions } from '#libs/http';
import { RootLogger, runBeyondDeadline, SecretNames } from '#libs/logging';
import { type IdempotencyClaim, IdempotencyStore, type StoredAnswer } from '#libs/persistence';

/** A claim that is not renewed for two minutes is another's. */
const RENEW_EVERY_MS = 30_000;
const KEY_FORM = /^[\x21-\x7e]{1,255}$/;

/** Makes handlers marked `@Idempotent()` honour the `Idempotency-Key` header. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly store: IdempotencyStore,
    private readonly log: RootLogger,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & AuthenticatedRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || request.principal === undefined) return next.handle();
    const options = this.reflector.get(Idempotent, context.getHandler()) as
      IdempotentOptions | undefined;
    if (options === undefined) return next.handle();
    if (typeof key !== 'string' || !KEY_FORM.test(key)) throw invalidKey();
    const claim: IdempotencyClaim = {
      ownerId: request.principal.userId,
      route: `${request.method} ${request.url}`,
      key,
      requestHash: createHash('sha256').update(bodyText(request)).digest('base64'),
    };
    const { shownOnce = [] } = options;
    return this.answerOnce({ claim, shownOnce, reply: http.getResponse<FastifyReply>(), next });
  }

  private answerOnce(request: ClaimedRequest): Observable<unknown> {
    const { claim, reply } = request;
    return from(this.store.claim(claim)).pipe(
      mergeMap((outcome) => {
        switch (outcome.state) {
          case 'claimed':
            return this.run(request);
          case 'answered':
            void reply.status(outcome.answer.status).header('idempotent-replayed', 'true');
            return of(outcome.answer.body);
          case 'running':
            throw new PantheonError(
              'IDEMPOTENCY_KEY_IN_USE',
              'The request with this Idempotency-Key is still under way.',
              { kind: 'conflict', retryAfterSeconds: 1 },
            );
          case 'mismatch':
            throw new PantheonError(
              'IDEMPOTENCY_KEY_REUSED',
              'This Idempotency-Key was used for another request; take a new one.',
              { kind: 'unprocessable' },
            );
        }
      }),
    );
  }

  private run({ claim, shownOnce, reply, next }: ClaimedRequest): Observable<unknown> {
    const renewal = setInterval(() => void this.renew(claim), RENEW_EVERY_MS).unref();
    return next.handle().pipe(
      catchError((error: unknown) =>
        from(this.giveBack(claim)).pipe(mergeMap(() => throwError(() => error))),
      ),
      mergeMap(async (body: unknown) => {
        await this.keep(claim, {
          status: reply.statusCode,
          body: withoutFields(body, shownOnce),
        });
        return body;
      }),
      finalize(() => clearInterval(renewal)),
    );
  }

  /** The next time is soon. */
  private async renew(claim: IdempotencyClaim): Promise<void> {
    try {
      await runBeyondDeadline(() => this.store.renew(claim));
    } catch (error) {
      this.log.module('http').warn('An Idempotency-Key was not renewed', { err: error });
    }
  }

  /**
   * What is done is done, also when the time for the request ended with it, and is answered even if it
   * cannot be kept: who gets no answer sends the request again.
   */
  private async keep(claim: IdempotencyClaim, answer: StoredAnswer): Promise<void> {
    try {
      await runBeyondDeadline(() => this.store.complete(claim, answer));
    } catch (error) {
      this.log
        .module('http')
        .error('An answer under an Idempotency-Key was not kept', { err: error });
    }
  }

  /** The failure of the request matters more than that of this: a claim runs out by itself. */
  private async giveBack(claim: IdempotencyClaim): Promise<void> {
    try {
      await runBeyondDeadline(() => this.store.release(claim));
    } catch (error) {
      this.log.module('http').warn('An Idempotency-Key was not given back', { err: error });
    }
  }
}

interface ClaimedRequest {
  readonly claim: IdempotencyClaim;
  readonly shownOnce: readonly string[];
  readonly reply: FastifyReply;
  readonly next: CallHandler;
}

function withoutFields(body: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof body !== 'object' || body === null) return body;
  return { ...body, ...Object.fromEntries(names.map((name) => [name, null])) };
}

/** What tells one body from another; of a body that is a stream only its length is known yet. */
function bodyText({ body, headers }: FastifyRequest): string {
  if (body instanceof Readable) return `stream of ${headers['content-length'] ?? 'unknown'} bytes`;
  return JSON.stringify(body, withoutSecrets) ?? '';
}

/** The digest is kept for a day, and a quick digest of a password is as good as the password. */
function withoutSecrets(name: string, value: unknown): unknown {
  return secretNames.isSecret(name, value) ? null : value;
}

const secretNames = new SecretNames();

function invalidKey(): PantheonError {
  const message = 'Idempotency-Key must be 1 to 255 visible ASCII characters.';
  return new PantheonError('IDEMPOTENCY_KEY_INVALID', message, {
    kind: 'invalid',
    faults: [{ path: 'headers.idempotency-key', code: 'IDEMPOTENCY_KEY_INVALID', message }],
  });
}
