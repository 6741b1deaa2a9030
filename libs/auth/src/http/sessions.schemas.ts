import { z } from 'zod';

const riskSchema = z.enum(['trusted', 'normal', 'high']);
const anomaliesSchema = z
  .array(
    z.enum(['new-network', 'new-device', 'failed-log-ins', 'network-changed', 'device-changed']),
  )
  .describe('What is unlike the sessions that the user had before, or unlike how this one began');

export const sessionSchema = z
  .object({
    id: z.uuid(),
    current: z.boolean().describe('Whether this request belongs to it'),
    clientId: z.uuid().nullable().describe('The OAuth client that has its tokens; null: a log-in'),
    scope: z.string().nullable().describe('What an OAuth client may do by it; null: a log-in'),
    createdAt: z.iso.datetime(),
    lastActiveAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('When it ends unless it is used'),
    requestCount: z.number().int(),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    important: z.boolean(),
    risk: riskSchema,
    anomalies: anomaliesSchema,
    idleTimeoutSeconds: z.number().int().nullable().describe('null: its refresh token limits it'),
  })
  .meta({ id: 'Session' });

export const timeoutSchema = z
  .object({
    timeoutSeconds: z.number().int(),
    factors: z.object({
      baseMinutes: z.number(),
      activity: z.object({
        score: z.number().describe('Sum of requests / (hours ago + 1)'),
        level: z.enum(['low', 'medium', 'high']),
        factor: z.number(),
      }),
      role: z.object({ name: z.string().nullable(), factor: z.number() }),
      context: z.object({ important: z.boolean(), factor: z.number() }),
      risk: z.object({ level: riskSchema, factor: z.number() }),
      minutes: z.number().describe('The product, before the bounds'),
      minMinutes: z.number(),
      maxMinutes: z.number(),
    }),
  })
  .meta({ id: 'SessionTimeout' });

export const analyticsSchema = z.object({
  session: sessionSchema,
  timeout: timeoutSchema.describe('What a renewal would give now'),
  learnedFrom: z
    .array(z.object({ count: z.number().int(), hoursAgo: z.number() }))
    .describe('The last sessions of a day, at most ten, the latest first'),
});

export const recommendationsSchema = z.object({
  advice: z.enum(['keep', 'renew', 'let-lapse', 'log-in-again']),
  reasons: z.array(z.string()),
  timeoutIfRenewedSeconds: z.number().int(),
});

export const renewedSchema = z.object({
  expiresAt: z.iso.datetime(),
  risk: riskSchema,
  anomalies: anomaliesSchema,
  timeout: timeoutSchema,
});

export const renewBody = z
  .strictObject({
    important: z
      .boolean()
      .optional()
      .describe('Whether the work of the session is important from now on; default: as before'),
  })
  .prefault({});

export const endSessionsQuery = z.strictObject({
  except: z.literal('current').optional().describe('Leaves the session of this request'),
});

export const endedSchema = z.object({ ended: z.number().int().describe('How many were alive') });
