import { coversScope } from '../access/grant-coverage.js';
import { OAuthError } from '../errors/oauth.error.js';
import { formatScope, grantOfToken, parseScope } from './scope.js';

/** RFC 6749, section 2.1: whether a client can keep a secret. */
export const CLIENT_TYPES = ['confidential', 'public'] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/** What a client may exchange for tokens. */
export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
export type GrantType = (typeof GRANT_TYPES)[number];

/** A client as its organization sees it. */
export interface OAuthClient {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly type: ClientType;
  readonly grantTypes: readonly GrantType[];
  readonly redirectUris: readonly string[];
  /** The most that its tokens may be limited to. */
  readonly scopes: readonly string[];
  /** Whether users of other organizations may use it, too. */
  readonly shared: boolean;
  /** The account that it acts by with client credentials. */
  readonly serviceUserId: string | null;
  readonly disabled: boolean;
  readonly createdAt: Date;
  /** Until when the secret before the present one is taken too. */
  readonly previousSecretExpiresAt: Date | null;
}

/** A token carries its scope, and has to fit into a header with it. */
export const MAX_SCOPE_CHARACTERS = 1_024;

/**
 * The scope that a client gets for the one that it asks for; without asking it gets all that it may
 * have (RFC 6749, section 3.3).
 * @throws OAuthError invalid_scope when it asks for more
 */
export function scopeFor({ scopes }: OAuthClient, asked: string | undefined): string {
  if (asked === undefined) return formatScope(scopes);
  const tokens = asked.length > MAX_SCOPE_CHARACTERS ? undefined : parseScope(asked);
  if (tokens === undefined) throw new OAuthError('invalid_scope', 'The scope cannot be read.');
  const allowed = scopes.map(grantOfToken);
  const beyond = tokens.find((token) => !coversScope(allowed, grantOfToken(token)));
  if (beyond !== undefined) {
    throw new OAuthError('invalid_scope', `The client may not ask for the scope ${beyond}.`);
  }
  return formatScope(tokens);
}

/** @throws OAuthError unauthorized_client */
export function requireGrantType(client: OAuthClient, grantType: GrantType): void {
  if (client.grantTypes.includes(grantType)) return;
  throw new OAuthError('unauthorized_client', `The client may not use ${grantType}.`);
}
