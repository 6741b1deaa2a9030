import { eventChannel } from '#libs/core';
import type { GrantType } from './oauth/oauth-client.js';
import type { SessionAnomaly } from './sessions/session-risk.js';
import type { SessionRisk } from './sessions/session-timeout.js';

/** What a change has to be forgotten of. */
export type EvictionSubject = 'user' | 'role' | 'session' | 'api-key' | 'client';

/** What happens to accounts and sessions, for metrics, logs and alerts. */
export type AuthEvent =
  | { readonly type: 'login'; readonly outcome: 'succeeded'; readonly userId: string }
  | {
      readonly type: 'login';
      readonly outcome: 'failed' | 'throttled';
      readonly address: string;
      /** Whose account was tried, where there is one. */
      readonly userId?: string;
    }
  | { readonly type: 'registered'; readonly userId: string }
  | { readonly type: 'refreshed'; readonly userId: string }
  /** A refresh token came back after its use: it, or its successor, is in wrong hands. */
  | { readonly type: 'refresh-token-reused'; readonly userId: string; readonly sessionId: string }
  | { readonly type: 'logged-out'; readonly sessionId: string }
  /** A session is used unlike those that its user had before, or from elsewhere than it began. */
  | {
      readonly type: 'session-anomaly';
      readonly userId: string;
      readonly sessionId: string;
      readonly risk: SessionRisk;
      readonly anomalies: readonly SessionAnomaly[];
    }
  | { readonly type: 'session-renewed'; readonly userId: string; readonly sessionId: string }
  /** Several sessions of a user were ended at once. */
  | {
      readonly type: 'sessions-ended';
      readonly userId: string;
      readonly count: number;
      /** Who ended them, when it was not the user. */
      readonly by?: string;
    }
  /** The use of sessions could not be written: their ends may come too soon. */
  | { readonly type: 'session-activity-unwritten'; readonly error: unknown }
  /** The list of breached passwords gave no answer, and a password was accepted without. */
  | { readonly type: 'breach-check-failed'; readonly error: unknown }
  /** Some client was not the one that it said it was; the id is there when there is such a client. */
  | {
      readonly type: 'oauth-client-refused';
      readonly outcome: 'refused';
      readonly clientId?: string;
    }
  /** A person let a client act for them. */
  | {
      readonly type: 'oauth-consent';
      readonly clientId: string;
      readonly userId: string;
      readonly scope: string;
    }
  | {
      readonly type: 'oauth-tokens-issued';
      readonly grantType: GrantType;
      readonly clientId: string;
      readonly userId: string;
      readonly sessionId: string;
    }
  /** An authorization code came back after its use: somebody has read it on its way. */
  | {
      readonly type: 'oauth-code-reused';
      readonly clientId: string;
      readonly userId: string;
      readonly sessionId: string;
    }
  /** Made by who is `by`, or by itself when its predecessor's time was over. */
  | {
      readonly type: 'signing-key';
      readonly action: 'added' | 'withdrawn';
      /** Of the key that was made. */
      readonly kid: string;
      readonly by?: string;
    }
  /** The keys could not be read again; those of before are still used. */
  | { readonly type: 'signing-keys-unread'; readonly error: unknown }
  /** A change was stored, and not every process has confirmed in time that it goes by it. */
  | {
      readonly type: 'eviction-unconfirmed';
      readonly what: EvictionSubject;
      readonly error?: unknown;
    };

/** Every event of authentication in this process. */
export const authEvents = eventChannel<AuthEvent>('pantheon.auth');
