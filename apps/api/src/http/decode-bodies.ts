import type { FastifyInstance, preParsingHookHandler } from 'fastify';
import { ACCEPTED_CODINGS, inflateBody } from '#libs/http';
import type { SettingsStore } from '#libs/config';
import { compressionSettings } from '../../../shared/src/compression.settings.js';

const METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const LINES = 'application/x-ndjson';

/** Decodes bodies with a `Content-Encoding` as they arrive. To be called before routes are registered. */
export function decodeBodies(fastify: FastifyInstance, settings: SettingsStore): void {
  const decode = decoder(settings);
  fastify.addHook('onRoute', (route) => {
    if (![route.method].flat().some((method) => METHODS.has(method))) return;
    route.preParsing = [decode, route.preParsing ?? []].flat();
  });
}

function decoder(settings: SettingsStore): preParsingHookHandler {
  return (request, reply, payload, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') {
      done(null, payload);
      return;
    }
    const { maxInflation, inflationFromBytes } = settings.get(compressionSettings);
    // Bulk routes count the bytes of their lines themselves, and store them as they come.
    const isLines = request.headers['content-type']?.startsWith(LINES) === true;
    try {
      const body = inflateBody(request.raw, encoding, {
        maxBytes: isLines ? Number.POSITIVE_INFINITY : request.routeOptions.bodyLimit,
        maxRatio: maxInflation,
        ratioFromBytes: inflationFromBytes,
      });
      done(null, body);
    } catch (error) {
      void reply.header('accept-encoding', ACCEPTED_CODINGS);
      done(error as Error);
    }
  };
}
