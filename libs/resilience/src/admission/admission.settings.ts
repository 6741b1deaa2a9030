import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of admission control and of the deadlines of requests. */
export const admissionSettings = defineSettings('admission', {
  enabled: z.boolean().default(true).meta({
    live: true,
    description: 'Whether requests are refused or queued when there is more to do than can be done',
  }),
  minLimit: z.number().int().min(1).max(10_000).default(10).meta({
    live: true,
    description: 'Fewest requests at work at once that the adaptive limit comes down to',
  }),
  initialLimit: z.number().int().min(1).max(10_000).default(64).meta({
    live: true,
    description: 'Requests at work at once before anything was measured',
  }),
  maxLimit: z.number().int().min(1).max(10_000).default(1_000).meta({
    live: true,
    description: 'Most requests at work at once that the adaptive limit goes up to',
  }),
  latencyTolerance: z.number().min(1).max(10).default(1.1).meta({
    live: true,
    description:
      'Times what a route usually takes that it may take before fewer requests are let to work at once',
  }),
  batchShare: z.number().min(0.01).max(1).default(0.5).meta({
    live: true,
    description: 'Part of the limit that work that can wait may have',
  }),
  maxQueued: z.number().int().min(0).max(100_000).default(2_000).meta({
    live: true,
    description: 'Most requests of a class that wait for their turn; the next one is refused',
  }),
  maxQueueWaitMs: z.number().int().min(1).max(60_000).default(1_000).meta({
    live: true,
    description: 'Longest wait for a turn, in a burst',
  }),
  overloadedWaitRatio: z.number().min(0).max(10).default(0.3).meta({
    live: true,
    description:
      'Longest wait for a turn while requests come faster than they are served, as part of what the route usually takes',
  }),
  turnBudgetMs: z.number().min(0).max(1_000).default(2).meta({
    live: true,
    description:
      'Time in one turn of the event loop after which further requests wait for the next turn',
  }),
  loopDelayTargetMs: z.number().min(1).max(10_000).default(50).meta({
    live: true,
    description:
      'Turns of the event loop that take longer make fewer requests be let to work at once',
  }),
  maxCritical: z.number().int().min(1).max(100_000).default(2_000).meta({
    live: true,
    description: 'Most requests of health, metrics and authentication at work at once',
  }),
  interactiveTimeoutMs: z.number().int().min(0).max(3_600_000).default(30_000).meta({
    live: true,
    description: 'Time for a request without X-Request-Timeout-Ms; 0: no bound',
  }),
  batchTimeoutMs: z.number().int().min(0).max(86_400_000).default(0).meta({
    live: true,
    description: 'The same for work that can wait, which may be much; 0: no bound',
  }),
  maxTimeoutMs: z.number().int().min(1).max(86_400_000).default(600_000).meta({
    live: true,
    description: 'Most that X-Request-Timeout-Ms may ask for; a longer time is cut to it',
  }),
});

export type AdmissionSettings = SettingsOf<typeof admissionSettings>;
