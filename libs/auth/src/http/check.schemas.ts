import { z } from 'zod';
import { actionSchema, grantSchema, resourcePathSchema } from './auth.schemas.js';

const MAX_CHECKS = 500;

const questionSchema = z.strictObject({ resource: resourcePathSchema, action: actionSchema });

const batchSchema = z.strictObject({ checks: z.array(questionSchema).min(1).max(MAX_CHECKS) });

/** One question, or several at once. */
export const checkBody = z.union([questionSchema, batchSchema]);

const verdictSchema = z
  .object({
    allowed: z.boolean(),
    reason: z
      .enum(['granted', 'denied', 'not-granted', 'beyond-scope'])
      .describe(
        'By decidedBy; or no grant applies; or the grants allow it, and the scope of the credential does not',
      ),
    decidedBy: grantSchema
      .optional()
      .describe('The most specific of the grants that decide: a denial before any permission'),
  })
  .meta({ id: 'AccessVerdict' });

/** One answer, or one for each question in its order. */
export const checkSchema = z.union([verdictSchema, z.object({ results: z.array(verdictSchema) })]);
