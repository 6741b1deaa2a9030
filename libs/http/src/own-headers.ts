import type { FastifyReply } from 'fastify';

type Headers = Record<string, number | string | string[] | undefined>;

/** Where Fastify keeps the headers of a reply; undefined until seen, null where there is none such. */
let place: symbol | null | undefined;

function kept(reply: FastifyReply): Headers | undefined {
  place ??=
    Object.getOwnPropertySymbols(reply).find(
      ({ description }) => description === 'fastify.reply.headers',
    ) ?? null;
  return place === null ? undefined : (reply as unknown as Record<symbol, Headers>)[place];
}

/**
 * The headers that were set on a reply so far, by lower-case name. The same as `getHeaders`, which
 * copies them twice; only to be read.
 */
export function ownHeadersOf(reply: FastifyReply): Readonly<Headers> {
  const headers = kept(reply);
  return headers === undefined || reply.raw.getHeaderNames().length > 0
    ? reply.getHeaders()
    : headers;
}

/** Sets headers whose names are in lower case. The same as `headers`, which looks at each of them. */
export function setHeaders(reply: FastifyReply, headers: Readonly<Record<string, string>>): void {
  const own = kept(reply);
  if (own === undefined) void reply.headers(headers);
  else Object.assign(own, headers);
}
