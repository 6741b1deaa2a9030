import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, isUuid } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { OAuthError } from '../errors/oauth.error.js';
import { type ClientWithSecrets, OAuthClientStore } from './oauth-client.store.js';
import type { OAuthClient } from './oauth-client.js';
import { clientSecrets } from './oauth-tokens.js';
import type { Parameters } from './parameters.js';

const BASIC = /^Basic +([A-Za-z0-9+/]+=*) *$/i;
const NO_HASH = Buffer.alloc(32);

interface Presented {
  readonly clientId: string;
  readonly secret: string | undefined;
}

/**
 * Tells which client asks (RFC 6749, section 2.3): a confidential one by its secret, in the header or
 * in the form and never in both; a public one by its name alone, which proves nothing, so that PKCE
 * and exact redirect addresses have to. An unknown client and a wrong secret are answered alike.
 *
 * Nobody guesses 256 random bits, so failures are not counted; they are told to whoever listens.
 */
@Injectable()
export class ClientAuthentication {
  constructor(
    private readonly clients: OAuthClientStore,
    private readonly clock: Clock,
  ) {}

  /** @throws OAuthError invalid_client; invalid_request when two methods are used */
  async authenticate(parameters: Parameters, authorization?: string): Promise<OAuthClient> {
    const { clientId, secret } = presented(parameters, authorization);
    const client = isUuid(clientId) ? await this.clients.findActive(clientId) : undefined;
    const isRight = secret === undefined ? client?.type === 'public' : this.matches(client, secret);
    if (client !== undefined && isRight) return client;
    authEvents.publish(() => ({
      type: 'oauth-client-refused',
      outcome: 'refused',
      ...(client === undefined ? {} : { clientId }),
    }));
    throw new OAuthError('invalid_client', 'The client is unknown, or not the one it says it is.');
  }

  private matches(client: ClientWithSecrets | undefined, secret: string): boolean {
    const hash = clientSecrets.hashOf(secret) ?? NO_HASH;
    const isPresent = timingSafeEqual(hash, client?.secretHash ?? NO_HASH);
    const isPrevious = timingSafeEqual(hash, client?.previousSecretHash ?? NO_HASH);
    if (hash === NO_HASH || client?.type !== 'confidential') return false;
    const { previousSecretExpiresAt } = client;
    const counts = previousSecretExpiresAt !== null && previousSecretExpiresAt > this.clock.now();
    return isPresent || (isPrevious && counts);
  }
}

function presented(parameters: Parameters, authorization: string | undefined): Presented {
  const clientId = parameters.get('client_id');
  const secret = parameters.get('client_secret');
  if (authorization === undefined) {
    if (clientId !== undefined) return { clientId, secret };
    throw new OAuthError('invalid_client', 'The request does not say which client it is from.');
  }
  const basic = readBasic(authorization);
  if (secret !== undefined || (clientId !== undefined && clientId !== basic.clientId)) {
    throw new OAuthError('invalid_request', 'The client has to name itself in one way only.');
  }
  return basic;
}

/** Both parts are encoded as in a form before they are joined (RFC 6749, section 2.3.1). */
function readBasic(authorization: string): Presented {
  const encoded = BASIC.exec(authorization)?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new OAuthError('invalid_client', 'The header Authorization is not Basic.');
  return { clientId: decode(text.slice(0, colon)), secret: decode(text.slice(colon + 1)) };
}

function decode(part: string): string {
  return new URLSearchParams(`part=${part.replaceAll('&', '%26')}`).get('part') ?? '';
}
