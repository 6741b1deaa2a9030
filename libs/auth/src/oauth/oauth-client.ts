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
  readonly scopes: readonly string[];
  readonly serviceUserId: string | null;
  readonly disabled: boolean;
  readonly createdAt: Date;
  /** Until when the secret before the present one is taken too. */
  readonly previousSecretExpiresAt: Date | null;
}
