import { pageQuerySchema } from '#libs/http';
import { z } from 'zod';

const timeSchema = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const outcomeSchema = z.enum(['succeeded', 'failed', 'refused']);

export const auditQuerySchema = pageQuerySchema.extend({
  type: z
    .string()
    .max(63)
    .regex(/^[a-z][a-z0-9-]*$/)
    .optional()
    .describe('Such as login, role-created or access-denied'),
  outcome: outcomeSchema.optional(),
  userId: z.uuid().optional().describe('Who did it, or whose account it concerns'),
  targetId: z.string().min(1).max(200).optional().describe('Id of a role, session, key or client'),
  organizationId: z.uuid().optional().describe('Another one needs read on audit:all'),
  from: timeSchema.optional().describe('From this time on'),
  to: timeSchema.optional().describe('Before this time'),
});

export const ownEventsQuerySchema = auditQuerySchema.omit({ userId: true, organizationId: true });

export type OwnEventsQuery = z.infer<typeof ownEventsQuerySchema>;

export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const securityEventSchema = z
  .object({
    id: z.uuid(),
    occurredAt: z.iso.datetime(),
    type: z.string(),
    outcome: outcomeSchema,
    actorId: z.uuid().nullable().describe('Who did it; null when nobody was known'),
    userId: z.uuid().nullable().describe('Whose account it concerns'),
    organizationId: z.uuid().nullable(),
    targetKind: z.string().nullable().describe('Such as role, session or api-key'),
    targetId: z.string().nullable(),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable(),
    occurrences: z.number().int().describe('More than 1 for failures alike within a moment'),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'SecurityEvent' });
