import { authEvents, type EvictionSubject } from '../auth.events.js';

/** The tag of every principal in memory, whoever it is. */
export const PRINCIPALS_TAG = 'auth.principals';

/** The tag of everything that depends on who a user is and what they may do. */
export function tagOfUser(userId: string): string {
  return `user:${userId}`;
}

/**
 * Has every process drop what was changed, and publishes when not all have confirmed it. Never
 * rejects: the change is stored, and what could not be reached goes by it soon.
 */
export async function confirmEviction(
  what: EvictionSubject,
  forget: () => Promise<{ readonly acknowledged: boolean } | undefined>,
): Promise<void> {
  try {
    const receipt = await forget();
    if (receipt === undefined || receipt.acknowledged) return;
    authEvents.publish(() => ({ type: 'eviction-unconfirmed', what }));
  } catch (error) {
    authEvents.publish(() => ({ type: 'eviction-unconfirmed', what, error }));
  }
}
