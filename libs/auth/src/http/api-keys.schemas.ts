import { z } from 'zod';
import { actionOrAnySchema, nameSchema, resourcePatternSchema } from './auth.schemas.js';

const MAX_SCOPES = 100;
const MAX_SECONDS = 315_360_000;

const scopeSchema = z
  .array(z.strictObject({ resource: resourcePatternSchema, action: actionOrAnySchema }))
  .min(1)
  .max(MAX_SCOPES)
  .describe('What the key is limited to: no more than its owner may do');

const secondsSchema = z.number().int().max(MAX_SECONDS);
const lifeSchema = secondsSchema.min(1).optional().describe('Default: apiKeys.lifeSeconds');

export const createApiKeyBody = z.strictObject({
  name: nameSchema,
  scope: scopeSchema,
  expiresInSeconds: lifeSchema,
});

export const changeApiKeyBody = z
  .strictObject({
    name: nameSchema.optional(),
    scope: scopeSchema.optional(),
    expiresInSeconds: secondsSchema.min(1).optional().describe('From now; no later than before'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'must change something: name, scope or expiresInSeconds',
  });

export const rotateApiKeyBody = z
  .strictObject({
    overlapSeconds: secondsSchema
      .min(0)
      .optional()
      .describe('How long the text before works on. Default: apiKeys.overlapSeconds'),
    expiresInSeconds: lifeSchema,
  })
  .optional();

const timeSchema = z.iso.datetime();

const usage = {
  useCount: z.number().int().describe('As of the last seconds, see apiKeys.usageFlushMs'),
  lastUsedAt: timeSchema.nullable(),
  lastUsedAddress: z.string().nullable(),
};

export const apiKeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scope: z.array(z.object({ resource: z.string(), action: z.string() })),
    status: z.enum(['active', 'expired', 'revoked']),
    version: z.number().int().describe('Of the newest text'),
    createdAt: timeSchema,
    expiresAt: timeSchema,
    revokedAt: timeSchema.nullable(),
    ...usage,
    versions: z.array(
      z.object({
        version: z.number().int(),
        startsWith: z.string().describe('How the text begins'),
        createdAt: timeSchema,
        expiresAt: timeSchema,
        ...usage,
      }),
    ),
  })
  .meta({ id: 'ApiKey' });

export const issuedApiKeySchema = apiKeySchema
  .extend({
    key: z
      .string()
      .nullable()
      .describe('The text, shown this once; null for a retry under the same Idempotency-Key'),
  })
  .meta({ id: 'IssuedApiKey' });
