import { z } from 'zod';
import { REFUSAL_CAUSES } from '../admission/refusal-cause.js';

const laneSchema = z.object({
  inFlight: z.number().int(),
  waiting: z.number().int(),
  overloaded: z.boolean().describe('Whether requests come faster than they are served'),
  demand: z.number().describe('Multiple of what can be served that is asked for'),
  admitted: z.number().int(),
  queued: z.number().int().describe('Of the admitted, those that had to wait'),
  left: z.number().int().describe('Those whose client left while they waited'),
  refused: z.record(z.enum(REFUSAL_CAUSES), z.number().int()),
});

/** The state of admission control. */
export const admissionSchema = z
  .object({
    enabled: z.boolean(),
    limit: z.number().int().describe('Requests that may be at work at once'),
    inFlight: z.number().int(),
    waiting: z.number().int(),
    loopTurnMs: z.number().describe('Smoothed time of a turn of the event loop'),
    memoryCritical: z.boolean(),
    classes: z.object({ critical: laneSchema, interactive: laneSchema, batch: laneSchema }),
  })
  .meta({ id: 'Admission' });

export type AdmissionAnswer = z.infer<typeof admissionSchema>;
