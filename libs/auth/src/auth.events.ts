import { eventChannel } from '#libs/core';

/** What happens to accounts and sessions, for metrics, logs and alerts. */
export type AuthEvent =
  | { readonly type: 'login'; readonly outcome: 'succeeded'; readonly userId: string }
  | {
      readonly type: 'login';
      readonly outcome: 'failed' | 'throttled';
      readonly address: string;
    }
  | { readonly type: 'registered'; readonly userId: string }
  | { readonly type: 'refreshed'; readonly userId: string }
  /** A refresh token came back after its use: it, or its successor, is in wrong hands. */
  | { readonly type: 'refresh-token-reused'; readonly userId: string; readonly sessionId: string }
  | { readonly type: 'logged-out'; readonly sessionId: string }
  /** A change was stored, and not every process has confirmed in time that it goes by it. */
  | {
      readonly type: 'eviction-unconfirmed';
      readonly what: 'user' | 'role' | 'session';
      readonly error?: unknown;
    };

/** Every event of authentication in this process. */
export const authEvents = eventChannel<AuthEvent>('pantheon.auth');
