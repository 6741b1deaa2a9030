import type { FastifyReply } from 'fastify';

type Headers = Readonly<Record<string, number | string | string[] | undefined>>;

/** Where Fastify keeps the headers of a reply; undefined until seen, null where there is none such. */
let place: symbol | null | undefined;

/**
 * The headers that were set on a reply so far, by lower-case name. The same as `getHeaders`, which
 * copies them twice; only to be read.
 */
export function ownHeadersOf(reply: FastifyReply): Headers {
  place ??=
    Object.getOwnPropertySymbols(reply).find(
      ({ description }) => description === 'fastify.reply.headers',
    ) ?? null;
  if (place === null || reply.raw.getHeaderNames().length > 0) return reply.getHeaders();
  return (reply as unknown as Record<symbol, Headers>)[place] as Headers;
}
