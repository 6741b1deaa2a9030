import { OpaqueToken } from '../tokens/opaque-token.js';

/** Tokens that carry the session of a client on. Not those of a log-in: only a client can use them. */
export const clientRefreshTokens = new OpaqueToken('por_');
/** What a browser carries from the consent of a person to the client. */
export const authorizationCodes = new OpaqueToken('poc_');
/** What confidential clients show that they are themselves by. */
export const clientSecrets = new OpaqueToken('pcs_');
