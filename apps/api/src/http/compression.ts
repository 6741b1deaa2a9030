import { pipeline, Readable } from 'node:stream';
import { callbackify } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';
import {
  type Compression,
  type ContentCoding,
  isSentAsIs,
  ownHeadersOf,
  varyWith,
  weakTag,
} from '#libs/http';
import { onRequestEnd } from '#libs/logging';
import type { MetricRegistry } from '#libs/metrics';

/** The handler or a proxy before us says that the body must arrive as it is. */
const UNTOUCHED = /\bno-transform\b/i;

/**
 * Compresses the answers of a Fastify instance. To be called before routes are registered. Answers
 * of the handlers that `hasSecrets` names, as Nest does, are sent as they are.
 */
export function compressAnswers(
  fastify: FastifyInstance,
  compression: Compression,
  hasSecrets: (handlerName: string) => boolean,
): void {
  const encode = encoder(compression);
  fastify.addHook('onRoute', (route) => {
    if (hasSecrets(route.handler.name)) return;
    const onSend = [route.onSend ?? []].flat();
    // The last one of HEAD takes the body away.
    const isHead = [route.method].flat().includes('HEAD');
    const at = isHead ? Math.max(0, onSend.length - 1) : onSend.length;
    route.onSend = [...onSend.slice(0, at), encode, ...onSend.slice(at)];
  });
}

/** Counts the bytes of bodies, before and after compression. */
export function countBodyBytes(
  fastify: FastifyInstance,
  compression: Compression,
  registry: MetricRegistry,
): void {
  let knownBytes = 0;
  onRequestEnd(fastify, (request, reply) => {
    if (!reply.raw.writableFinished || request.method === 'HEAD') return;
    const length = Number(ownHeadersOf(reply)['content-length']);
    if (length > 0) knownBytes += length;
  });
  const sentBytes = (): number => knownBytes + compression.figures.streamedBytes;
  registry.total(
    'http_bytes_sent_total',
    'Bytes of bodies that were sent, of streams those that were compressed',
    sentBytes,
  );
  registry.total(
    'http_bytes_raw_total',
    'Bytes of the same bodies before compression',
    () => sentBytes() + compression.figures.savedBytes,
  );
  registry.total('http_compressed_answers_total', 'Compressed answers, by coding', () =>
    Object.entries(compression.figures.answers).map(([encoding, value]) => ({
      labels: { encoding },
      value,
    })),
  );
  registry.total(
    'http_compression_skipped_total',
    'Answers that were sent as they are because too many were being compressed',
    () => compression.figures.skipped,
  );
}

function encoder(compression: Compression): onSendHookHandler {
  const pack = callbackify((body: Buffer, coding: ContentCoding) =>
    compression.compress(body, coding),
  );
  return (request, reply, payload, done) => {
    const bytes = sizeOf(payload);
    if (!compression.isLargeEnough(bytes) || !mayChange(request, reply, compression, bytes)) {
      done(null, payload);
      return;
    }
    void reply.header('vary', varyWith(ownHeadersOf(reply)['vary']?.toString(), 'accept-encoding'));
    const coding = compression.codingFor(request.headers['accept-encoding']);
    if (coding === undefined || request.method === 'HEAD') done(null, payload);
    else if (payload instanceof Readable) {
      const packed = compression.stream(coding);
      if (packed === undefined) {
        done(null, payload);
        return;
      }
      announce(reply, coding);
      // Fastify sees to what goes wrong with what it sends; this ends the other one with it.
      pipeline(payload, packed, () => undefined);
      done(null, packed);
    } else {
      const raw = Buffer.isBuffer(payload) ? payload : Buffer.from(payload as string);
      // The handler has ended meanwhile, and Fastify would answer that it has said nothing.
      reply.hijack();
      pack(raw, coding, (_error: Error | null, packed?: Buffer) => {
        if (packed !== undefined) {
          announce(reply, coding);
          compression.sent(coding, raw.length, packed.length);
        }
        // What cannot be compressed can be sent as it is.
        done(null, packed ?? payload);
      });
    }
  };
}

/** Of a text the characters, which are not more than its bytes. */
function sizeOf(payload: unknown): number {
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) return payload.length;
  return payload instanceof Readable ? Number.POSITIVE_INFINITY : 0;
}

function mayChange(
  request: FastifyRequest,
  reply: FastifyReply,
  compression: Compression,
  bytes: number,
): boolean {
  const { statusCode } = reply;
  if (statusCode === 204 || statusCode === 206 || statusCode === 304) return false;
  const headers = ownHeadersOf(reply);
  return (
    compression.isNegotiated(String(headers['content-type']), bytes) &&
    headers['content-encoding'] === undefined &&
    !UNTOUCHED.test(String(headers['cache-control'])) &&
    !UNTOUCHED.test(String(request.headers['cache-control'])) &&
    !isSentAsIs(reply)
  );
}

function announce(reply: FastifyReply, coding: ContentCoding): void {
  const { etag } = ownHeadersOf(reply);
  void reply.header('content-encoding', coding);
  if (etag !== undefined) void reply.header('etag', weakTag(String(etag)));
  // They were those of the bytes as they are.
  void reply.removeHeader('content-length').removeHeader('accept-ranges');
}
