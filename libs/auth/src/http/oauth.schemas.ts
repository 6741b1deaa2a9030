import { z } from 'zod';
import { CLIENT_TYPES, GRANT_TYPES, MAX_SCOPE_CHARACTERS } from '../oauth/oauth-client.js';

const MAX_REDIRECT_URIS = 20;
const MAX_SCOPES = 100;
const MAX_ROLES = 50;

const clientNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');
const grantTypesSchema = z.array(z.enum(GRANT_TYPES)).min(1).max(GRANT_TYPES.length);
const redirectUrisSchema = z.array(z.string().max(1_000)).max(MAX_REDIRECT_URIS);
const scopesSchema = z
  .array(z.string().max(256).describe('<resource path>:<action>, such as source:notes:read'))
  .min(1)
  .max(MAX_SCOPES)
  .describe(`The most that its tokens may do, ${MAX_SCOPE_CHARACTERS} characters in all`);
const sharedSchema = z.boolean().describe('Whether users of other organizations may use it');

export const createClientBody = z.strictObject({
  name: clientNameSchema.describe('What people are shown'),
  type: z.enum(CLIENT_TYPES).describe('confidential: it can keep a secret'),
  grantTypes: grantTypesSchema,
  redirectUris: redirectUrisSchema.default([]),
  scopes: scopesSchema,
  shared: sharedSchema.default(false),
  roles: z
    .array(z.string().max(63))
    .max(MAX_ROLES)
    .default([])
    .describe('Roles of the account that it acts by with client_credentials'),
});

export const changeClientBody = z
  .strictObject({
    name: clientNameSchema.optional(),
    grantTypes: grantTypesSchema.optional(),
    redirectUris: redirectUrisSchema.optional(),
    scopes: scopesSchema.optional(),
    shared: sharedSchema.optional(),
    disabled: z.boolean().optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'must change something',
  });

export const replaceSecretBody = z
  .strictObject({
    betrayed: z
      .boolean()
      .default(false)
      .describe('Whether the secret before it ends at once, with every session of the client'),
  })
  .default({ betrayed: false });

export const clientSchema = z
  .object({
    id: z.uuid().describe('The client_id'),
    name: z.string(),
    type: z.enum(CLIENT_TYPES),
    grantTypes: z.array(z.enum(GRANT_TYPES)),
    redirectUris: z.array(z.string()),
    scopes: z.array(z.string()),
    shared: z.boolean(),
    serviceUserId: z.uuid().nullable().describe('The user that it acts by with client_credentials'),
    disabled: z.boolean(),
    createdAt: z.iso.datetime(),
    previousSecretExpiresAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'OAuthClient' });

export const clientAndSecretSchema = clientSchema
  .extend({ secret: z.string().nullable().describe('The client_secret, shown this once') })
  .meta({ id: 'OAuthClientAndSecret' });

export const tokenAnswerSchema = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.number().int(),
    refresh_token: z.string().optional(),
    scope: z.string(),
  })
  .meta({ id: 'OAuthTokens' });

/** RFC 7009 leaves the body to nobody. */
export const revocationSchema = z.strictObject({});

export const introspectionSchema = z
  .object({
    active: z.boolean(),
    sub: z.string().optional(),
    username: z.string().optional(),
    iss: z.string().optional(),
    aud: z.string().optional(),
    exp: z.number().int().optional(),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    token_type: z.literal('Bearer').optional(),
  })
  .meta({ id: 'OAuthIntrospection' });

export const serverMetadataSchema = z
  .object({
    issuer: z.string(),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    revocation_endpoint: z.string(),
    introspection_endpoint: z.string(),
    jwks_uri: z.string(),
    response_types_supported: z.array(z.string()),
    response_modes_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    code_challenge_methods_supported: z.array(z.string()),
    authorization_response_iss_parameter_supported: z.boolean(),
  })
  .meta({ id: 'OAuthServerMetadata' });

export const jwksSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        alg: z.literal('ES256'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({ id: 'JsonWebKeySet' });

export const rotateBody = z
  .strictObject({
    betrayed: z
      .boolean()
      .default(false)
      .describe('Whether the keys of now end at once, with every access token that they signed'),
  })
  .default({ betrayed: false });

export const signingKeysSchema = z.object({
  items: z.array(
    z
      .object({
        kid: z.string(),
        algorithm: z.literal('ES256'),
        part: z.enum(['next', 'signing', 'verifying']),
        createdAt: z.iso.datetime(),
        signsFrom: z.iso.datetime(),
        verifiesUntil: z.iso.datetime().nullable(),
      })
      .meta({ id: 'SigningKey' }),
  ),
});
