import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';
import { emailSchema } from './accounts/email.js';

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;
/** No access token lives longer, whatever the setting was when it was issued. */
export const ACCESS_TOKEN_MAX_SECONDS = 3_600;

/** Settings of accounts, passwords, tokens and sessions. */
export const authSettings = defineSettings('auth', {
  registration: z.enum(['open', 'closed']).default('open').meta({
    live: true,
    description: 'Whether anybody may register an account with an organization of its own',
  }),
  adminEmail: emailSchema.default('admin@pantheon.local').meta({
    env: 'PANTHEON_ADMIN_EMAIL',
    description: 'Email of the administrator that the first start creates',
  }),
  adminPassword: z.string().optional().meta({
    env: 'PANTHEON_ADMIN_PASSWORD',
    secret: true,
    description: 'Password of that administrator; without it one is generated and shown once',
  }),
  encryptionKey: z
    .string()
    .min(32)
    .optional()
    .meta({
      secret: true,
      description:
        'Random text of 32 characters or more that encrypts token signing keys in the database; ' +
        'without it they are stored as they are',
    }),
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(200)
    .refine((url) => new URL(url).origin === url, {
      error: 'must be an origin, such as https://api.example.com, with nothing behind it',
    })
    .default('http://127.0.0.1:3000')
    .meta({
      description:
        'Origin by which clients reach the API, the same in all processes: the issuer of access tokens, demanded of them, and of OAuth 2.0',
    }),
  audience: z.string().min(1).max(200).default('pantheon-api').meta({
    description: 'Audience written into access tokens and demanded of them',
  }),
  accessTokenTtlSeconds: z
    .number()
    .int()
    .min(10)
    .max(ACCESS_TOKEN_MAX_SECONDS)
    .default(15 * MINUTE_SECONDS)
    .meta({
      live: true,
      description: 'Life of an access token',
    }),
  signingKeyRotationDays: z.number().int().min(1).max(365).default(30).meta({
    live: true,
    description: 'A key signs access tokens for this long; then the next one does',
  }),
  jwksCacheSeconds: z.number().int().min(10).max(86_400).default(300).meta({
    description:
      'Others may keep the public keys for this long; a new key is published for twice as long and a minute before it signs',
  }),
  refreshTokenTtlSeconds: z
    .number()
    .int()
    .min(60)
    .max(90 * DAY_SECONDS)
    .default(14 * DAY_SECONDS)
    .meta({ live: true, description: 'A session ends when it was not refreshed for this long' }),
  adaptiveSessions: z.boolean().default(true).meta({
    live: true,
    description:
      'Whether a session that is not used ends after 5 to 480 minutes, by activity, role, importance and risk; otherwise only the lives of refresh tokens end it',
  }),
  sessionActivityFlushMs: z.number().int().min(100).max(60_000).default(5_000).meta({
    live: true,
    description: 'The use of sessions is written to the database this often; a crash loses so much',
  }),
  sessionActivityMaxEntries: z.number().int().min(100).max(1_000_000).default(10_000).meta({
    live: true,
    description: 'Most sessions whose use waits to be written; with more, it is written at once',
  }),
  sessionMaxAgeSeconds: z
    .number()
    .int()
    .min(60)
    .max(365 * DAY_SECONDS)
    .default(90 * DAY_SECONDS)
    .meta({ live: true, description: 'A session ends at this age, however often refreshed' }),
  refreshReuseGraceSeconds: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(10)
    .meta({
      live: true,
      description:
        'A refresh token used again within this time is refused as a concurrent refresh; later it ' +
        'counts as stolen and ends its session',
    }),
  verifiedTokenCacheEntries: z.number().int().min(0).max(1_000_000).default(1_000).meta({
    live: true,
    description: 'Most access tokens whose verified claims are kept in memory',
  }),
  principalCacheTtlSeconds: z.number().int().min(0).max(3_600).default(60).meta({
    live: true,
    description:
      'Longest time that a principal is kept in memory, and no longer than its session; changes end it at once; 0 turns the cache off',
  }),
  principalCacheEntries: z.number().int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Most sessions whose principals are kept in memory',
  }),
  passwordMinCharacters: z.number().int().min(8).max(128).default(12).meta({
    live: true,
    description: 'Shortest password that is accepted for an account',
  }),
  passwordMaxCharacters: z.number().int().min(64).max(1_024).default(128).meta({
    live: true,
    description: 'Longest password that is accepted for an account',
  }),
  passwordHistoryCount: z.number().int().min(0).max(24).default(5).meta({
    live: true,
    description: 'So many passwords that an account had last cannot be taken again',
  }),
  streamCheckMs: z.number().int().min(100).max(60_000).default(5_000).meta({
    description:
      'Whether the caller of a stream may still have it is looked at again this often while it goes on',
  }),
  passwordResetTtlSeconds: z
    .number()
    .int()
    .min(60)
    .max(7 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .meta({ live: true, description: 'Life of a token by which a user sets a new password' }),
  breachedPasswordsFile: z.string().min(1).optional().meta({
    description:
      'File of SHA-1 hashes of breached passwords in upper-case hexadecimal, sorted, one a line, anything after a colon ignored; such passwords are refused',
  }),
  breachedPasswordsUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'Base URL of a range service of breached passwords (GET <URL>/range/<first five digits of the SHA-1>); without an answer a password is accepted',
    }),
  passwordMemoryKib: z.number().int().min(19_456).max(1_048_576).default(19_456).meta({
    live: true,
    description: 'Memory that hashing one password takes (argon2id m)',
  }),
  passwordIterations: z.number().int().min(2).max(20).default(2).meta({
    live: true,
    description: 'Passes over that memory (argon2id t)',
  }),
  passwordConcurrency: z.number().int().min(1).max(64).default(2).meta({
    live: true,
    description: 'Most passwords hashed at once; each takes a thread of the pool of four',
  }),
  passwordQueueLimit: z.number().int().min(0).max(10_000).default(100).meta({
    live: true,
    description: 'Most password hashes that wait; further log-ins are answered with 503',
  }),
  loginFailuresPerClient: z.number().int().min(1).max(10_000).default(10).meta({
    live: true,
    description: 'Failed log-ins to one account from one address before 429',
  }),
  // Five windows touch an hour: 20 keep an account under the 100 guesses an hour of OWASP ASVS 2.2.1.
  loginFailuresPerAccount: z.number().int().min(1).max(100_000).default(20).meta({
    live: true,
    description: 'Failed log-ins to one account from all addresses before 429',
  }),
  loginFailuresPerAddress: z.number().int().min(1).max(100_000).default(100).meta({
    live: true,
    description: 'Failed log-ins from one address (IPv6: one /64) to all accounts before 429',
  }),
  registrationConflictsPerAddress: z.number().int().min(1).max(100_000).default(20).meta({
    live: true,
    description: 'Registrations of taken emails from one address before 429',
  }),
  failureWindowSeconds: z
    .number()
    .int()
    .min(1)
    .max(DAY_SECONDS)
    .default(15 * MINUTE_SECONDS)
    .meta({
      live: true,
      description: 'Failures are counted, and a 429 lasts, for this long from the first one',
    }),
  failureTableMaxEntries: z.number().int().min(100).max(1_000_000).default(10_000).meta({
    live: true,
    description: 'Most accounts and addresses whose failures are remembered',
  }),
});

export type AuthSettings = SettingsOf<typeof authSettings>;
