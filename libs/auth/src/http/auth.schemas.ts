import { z } from 'zod';
import { emailSchema } from '../accounts/email.js';

const MAX_PATH_CHARACTERS = 256;
const MAX_GRANTS = 500;
const MAX_ROLES_OF_A_USER = 50;

/** Passwords have their own rules, which settings change; this only bounds the work. */
const passwordSchema = z.string().min(1).max(1_024);

/** A name for people: no control characters, not blank. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

const roleNameSchema = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9_-]*$/, 'must be lower case: a letter, then letters, digits, - or _');

export const resourcePathSchema = z
  .string()
  .max(MAX_PATH_CHARACTERS)
  .regex(/^[\w.%-]+(:[\w.%-]+)*$/, 'must be segments of letters, digits, _ . % - joined by ":"');

export const resourcePatternSchema = z
  .string()
  .max(MAX_PATH_CHARACTERS)
  .regex(
    /^(\*|[\w.%-]+)(:(\*|[\w.%-]+))*$/,
    'must be segments of letters, digits, _ . % - or the wildcard *, joined by ":"',
  );

export const actionSchema = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9_-]*$/, 'must be a verb in lower case');

export const actionOrAnySchema = z.union([actionSchema, z.literal('*')]);

export const grantSchema = z
  .strictObject({
    resource: resourcePatternSchema.describe('Path such as source:notes; * is a wildcard'),
    action: actionOrAnySchema.describe('Verb such as read; * is every verb'),
    effect: z.enum(['allow', 'deny']).default('allow'),
  })
  .meta({ id: 'Grant' });

const grantsSchema = z.array(grantSchema).max(MAX_GRANTS);

export const registerBody = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  organizationName: nameSchema.optional(),
});

export const loginBody = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  important: z
    .boolean()
    .optional()
    .describe('The work of the session is important: it may be unused for longer'),
});

export const refreshBody = z.strictObject({ refreshToken: z.string().min(1).max(256) });

export const logoutBody = refreshBody.partial().optional();

export const changePasswordBody = z.strictObject({
  currentPassword: passwordSchema,
  newPassword: passwordSchema,
});

export const resetPasswordBody = z.strictObject({
  token: z.string().min(1).max(256),
  newPassword: passwordSchema,
});

export const passwordResetSchema = z
  .object({
    token: z.string().describe('Shown once; good for one new password'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'PasswordReset' });

export const createUserBody = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  roles: z.array(roleNameSchema).max(MAX_ROLES_OF_A_USER).default(['member']),
});

export const changeUserBody = z
  .strictObject({
    disabled: z.boolean().optional(),
    roles: z.array(roleNameSchema).max(MAX_ROLES_OF_A_USER).optional(),
  })
  .refine(({ disabled, roles }) => disabled !== undefined || roles !== undefined, {
    error: 'must change something: disabled or roles',
  });

export const createRoleBody = z.strictObject({
  name: roleNameSchema,
  description: z
    .string()
    .trim()
    .max(1_000)
    .regex(/^\P{Cc}*$/u, 'must not contain control characters')
    .default(''),
  grants: grantsSchema.default([]),
});

export const replaceGrantsBody = z.strictObject({ grants: grantsSchema });

export const idParams = z.object({ id: z.uuid() });

export const tokenPairSchema = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresInSeconds: z.number().int().describe('Life of the access token'),
  })
  .meta({ id: 'TokenPair' });

export const accountSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    organizationId: z.uuid(),
    roles: z.array(z.string()),
    grants: z.array(grantSchema),
    scope: z
      .array(grantSchema)
      .optional()
      .describe('What the API key or token in use is limited to, beside the grants'),
  })
  .meta({ id: 'Account' });

export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    kind: z.enum(['person', 'service']).describe('A service acts by a client of OAuth 2.0'),
    status: z.enum(['active', 'disabled']),
    roles: z.array(z.string()),
    grants: z.array(grantSchema),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });

export const roleSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string(),
    builtIn: z.boolean().describe('Built-in roles are shared and cannot be changed'),
    grants: z.array(grantSchema),
  })
  .meta({ id: 'Role' });
