import { eventChannel } from '#libs/core';

/** What happened to the embedded PostgreSQL server. */
export type EmbeddedPostgresEvent =
  | {
      readonly kind: 'started';
      readonly pid: number;
      readonly port: number;
      readonly durationMs: number;
      /** `adopted`: it was still running from a process that was killed. */
      readonly how: 'created' | 'started' | 'adopted';
    }
  /** It ended although nobody stopped it; it is being started again. */
  | { readonly kind: 'died'; readonly pid: number; readonly reason: string }
  | { readonly kind: 'restarted'; readonly pid: number; readonly downMs: number }
  | { readonly kind: 'restart-failed'; readonly error: unknown; readonly nextTryMs: number }
  | { readonly kind: 'stopped'; readonly pid: number; readonly durationMs: number };

/** Starts, deaths, restarts and stops of the embedded PostgreSQL. */
export const embeddedPostgresEvents = eventChannel<EmbeddedPostgresEvent>(
  'pantheon.persistence.embedded-postgres',
);
