import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { OAuthError } from '../errors/oauth.error.js';

/** Answers a refusal of the OAuth protocol in the protocol's own form (RFC 6749, section 5.2). */
@Catch(OAuthError)
export class OAuthErrorFilter implements ExceptionFilter<OAuthError> {
  catch({ error, message }: OAuthError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const isClient = error === 'invalid_client';
    if (isClient) void reply.header('www-authenticate', 'Basic realm="pantheon", charset="UTF-8"');
    void reply
      .status(isClient ? 401 : 400)
      .header('cache-control', 'no-store')
      .header('pragma', 'no-cache')
      .type('application/json')
      .serializer(JSON.stringify)
      .send({ error, error_description: message });
  }
}
