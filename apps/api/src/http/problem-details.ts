import { HttpException } from '@nestjs/common';
import { type ErrorKind, isError, PantheonError } from '#libs/core';
import type { Problem } from '#libs/http';
import { toDatabaseError } from '#libs/persistence';

/** The status of HTTP that each kind of error is answered with. */
export const STATUS_BY_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  unsupported: 415,
  unprocessable: 422,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
};

/** Media type of every error answer. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const TITLE_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'The request took too long to arrive',
  409: 'Conflict',
  413: 'Too large',
  414: 'URL too long',
  415: 'Unsupported media type',
  422: 'Cannot be processed',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Temporarily unavailable',
  504: 'Time-out',
};

/** Codes of Fastify's own errors, for callers that do not know Fastify. */
const CODE_BY_FASTIFY_CODE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_EMPTY',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'CONTENT_LENGTH_WRONG',
  FST_ERR_BAD_URL: 'URL_INVALID',
  FST_ERR_MAX_PARAM_LENGTH: 'URL_TOO_LONG',
};

/** A problem document with what belongs in the answer's headers beside it. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/** Describes anything that was thrown to the caller; what was not meant for callers becomes a 500. */
export function toProblemAnswer(thrown: unknown, requestId: string): ProblemAnswer {
  if (thrown instanceof PantheonError) return fromPantheonError(thrown, requestId);
  // First the framework's: a caller who hangs up has the error code of a lost connection to the
  // database.
  const framework = frameworkError(thrown);
  if (framework !== undefined) {
    return { problem: makeProblem({ ...framework, requestId }), headers: {} };
  }
  const known = toDatabaseError(thrown);
  if (known !== undefined) return fromPantheonError(known, requestId);
  const problem = makeProblem({
    status: 500,
    code: 'INTERNAL_ERROR',
    detail: 'Something went wrong on our side. The request id finds it in the log.',
    requestId,
  });
  return { problem, headers: {} };
}

/** Fills in a problem's type and title. */
export function makeProblem(
  parts: Pick<Problem, 'status' | 'code' | 'detail' | 'requestId' | 'errors'>,
): Problem {
  return {
    type: `urn:pantheon:problem:${parts.code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLE_BY_STATUS[parts.status] ?? 'Error',
    ...parts,
  };
}

function fromPantheonError(error: PantheonError, requestId: string): ProblemAnswer {
  const status = STATUS_BY_KIND[error.kind];
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="pantheon"';
  if (error.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  }
  const problem = makeProblem({
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.faults.length === 0 ? {} : { errors: [...error.faults] }),
  });
  return { problem, headers };
}

function frameworkError(thrown: unknown): Pick<Problem, 'status' | 'code' | 'detail'> | undefined {
  if (thrown instanceof HttpException) {
    const status = thrown.getStatus();
    if (status >= 500) return undefined;
    return { status, code: codeOfStatus(status), detail: thrown.message };
  }
  if (isError(thrown) && 'statusCode' in thrown) {
    const status = Number(thrown.statusCode);
    if (!(status >= 400 && status < 500)) return undefined;
    const fastifyCode = 'code' in thrown ? String(thrown.code) : '';
    const code = CODE_BY_FASTIFY_CODE[fastifyCode] ?? codeOfStatus(status);
    return { status, code, detail: thrown.message };
  }
  return undefined;
}

function codeOfStatus(status: number): string {
  switch (status) {
    case 404:
      return 'ROUTE_NOT_FOUND';
    case 413:
      return 'BODY_TOO_LARGE';
    case 415:
      return 'MEDIA_TYPE_UNSUPPORTED';
    default:
      return 'BAD_REQUEST';
  }
}
