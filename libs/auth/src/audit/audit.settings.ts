import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of the record of security events. */
export const auditSettings = defineSettings('audit', {
  retentionDays: z.number().int().min(1).max(3_650).default(365).meta({
    live: true,
    description: 'Security events are deleted when they are older than this',
  }),
  flushMs: z.number().int().min(10).max(60_000).default(1_000).meta({
    live: true,
    description:
      'Events that are not stored together with a change are written this often; a process that is killed loses as much at most',
  }),
  bufferEvents: z.number().int().min(100).max(100_000).default(5_000).meta({
    live: true,
    description:
      'Most events that wait to be written; beyond it they go to the log instead of the table',
  }),
  refusalsPerMinute: z.number().int().min(1).max(100_000).default(600).meta({
    live: true,
    description:
      'Most failures and refusals that a process records one by one in a minute; further ones are counted together',
  }),
});

export type AuditSettings = SettingsOf<typeof auditSettings>;
