import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MAX_OVERLAP_HOURS = 24 * 30;

/** Settings of the authorization server. */
export const oauthSettings = defineSettings('oauth', {
  codeTtlSeconds: z.number().int().min(5).max(60).default(60).meta({
    live: true,
    description: 'Life of an authorization code',
  }),
  codeReplayWatchHours: z.number().int().min(1).max(720).default(24).meta({
    live: true,
    description: 'A code that comes a second time within this time ends what it was exchanged for',
  }),
  clientSecretOverlapHours: z.number().int().min(0).max(MAX_OVERLAP_HOURS).default(24).meta({
    live: true,
    description: 'After a client got another secret, the one before it is taken for this long',
  }),
  clientsPerOrganization: z.number().int().min(1).max(100_000).default(100).meta({
    live: true,
    description: 'Most clients that an organization may have',
  }),
});

export type OAuthSettings = SettingsOf<typeof oauthSettings>;
