import type { FastifyReply } from 'fastify';

const AS_IS = Symbol('pantheon:sent-as-is');

interface Marked {
  [AS_IS]?: true;
}

/** Keeps the body of a reply from being compressed, such as one that a cache is to keep. */
export function sendAsIs(reply: FastifyReply): void {
  (reply as Marked)[AS_IS] = true;
}

export function isSentAsIs(reply: FastifyReply): boolean {
  return (reply as Marked)[AS_IS] === true;
}
