import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';
import type { EmbeddedPostgresOptions } from './embedded-postgres.options.js';

/** Settings of the PostgreSQL that is started when DATABASE_URL is not set. */
export const embeddedPostgresSettings = defineSettings('postgres', {
  dataDir: z.string().min(1).default('.pantheon').meta({
    env: 'PANTHEON_DATA_DIR',
    description: 'Folder of the embedded PostgreSQL and its data',
  }),
  port: z.number().int().min(0).max(65_535).default(0).meta({
    description: 'Port of the embedded PostgreSQL on 127.0.0.1; 0 takes a free one',
  }),
  maxConnections: z.number().int().min(10).max(1_000).default(100).meta({
    description: 'Most connections that the embedded PostgreSQL accepts, from all processes',
  }),
  sharedBuffersMb: z.number().int().min(16).max(65_536).default(128).meta({
    description: 'Memory in MiB that the embedded PostgreSQL keeps for pages of the database',
  }),
  osUser: z.string().min(1).optional().meta({
    description:
      'System user as whom root runs the embedded PostgreSQL; default: postgres, else nobody',
  }),
  sharedFolder: z.string().min(1).default('/var/lib/pantheon').meta({
    description: 'Where root puts programs and data that this user cannot reach in their place',
  }),
  startTimeoutMs: z.number().int().min(1_000).max(3_600_000).default(120_000).meta({
    description: 'Longest wait for the embedded PostgreSQL, recovery after a crash included',
  }),
  stopTimeoutMs: z.number().int().min(100).max(600_000).default(10_000).meta({
    description: 'Longest wait for its orderly stop, after which it is forced',
  }),
});

export type EmbeddedPostgresSettings = SettingsOf<typeof embeddedPostgresSettings>;

/** What the settings mean for `EmbeddedPostgres.start`. */
export function toEmbeddedPostgresOptions(
  settings: EmbeddedPostgresSettings,
): EmbeddedPostgresOptions {
  const { sharedBuffersMb, ...options } = settings;
  return { ...options, settings: { shared_buffers: `${sharedBuffersMb}MB` } };
}
