import type { FastifyInstance } from 'fastify';
import { PantheonError } from '#libs/core';

const FORM = 'application/x-www-form-urlencoded';
const OAUTH_ROUTES = '/oauth/';
/** A refresh token, a scope and an address that codes are sent to, with room to spare. */
const BODY_LIMIT_BYTES = 16_384;

/**
 * Reads forms, for the routes of OAuth alone: a form is what any site can have a browser send, so no
 * other route is to take one.
 */
export function registerOAuthForms(fastify: FastifyInstance): void {
  fastify.addContentTypeParser(
    FORM,
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      if (request.routeOptions.url?.startsWith(OAUTH_ROUTES) === true) {
        done(null, new URLSearchParams(String(body)));
        return;
      }
      const message = `This route takes application/json, not ${FORM}.`;
      done(new PantheonError('MEDIA_TYPE_UNSUPPORTED', message, { kind: 'unsupported' }));
    },
  );
}
