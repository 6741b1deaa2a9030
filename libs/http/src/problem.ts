import { z } from 'zod';

/** The body of every error answer: RFC 9457 with a stable `code` and the path of each fault. */
export const problemSchema = z
  .object({
    type: z.string().describe('A URI that names the kind of problem'),
    title: z.string(),
    status: z.number().int(),
    code: z.string().describe('Stable and machine-readable, such as VALIDATION_FAILED'),
    detail: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.object({ path: z.string(), code: z.string(), message: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;
