import { currentContext, type FailedRequest } from '#libs/logging';
import type { AuthEvent } from '../auth.events.js';
import type { SecurityEvent, SecurityOutcome, SecurityTarget } from './security-event.js';

/** Signs of the platform's own health, for logs and metrics, and what happens every few minutes. */
const NOT_RECORDED: ReadonlySet<string> = new Set([
  'refreshed',
  'eviction-unconfirmed',
  'session-activity-unwritten',
  'breach-check-failed',
  'signing-keys-unread',
]);

/** Fields that name the thing an event is about, the most particular first. */
const TARGETS: readonly (readonly [field: string, kind: string])[] = [
  ['keyId', 'api-key'],
  ['clientId', 'oauth-client'],
  ['roleId', 'role'],
  ['sessionId', 'session'],
  ['kid', 'signing-key'],
];

const OUTCOMES: Readonly<Record<string, SecurityOutcome>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  throttled: 'refused',
  refused: 'refused',
};

/**
 * What to record of an event of this lib, by the names of its fields: `by` did it, `userId` is the
 * account, `keyId`, `sessionId` and the like are what it was about, and the rest are details.
 */
export function eventOf(event: AuthEvent): SecurityEvent | undefined {
  const { type, outcome, by, userId, organizationId, ...rest }: Fields = event;
  if (typeof type !== 'string' || NOT_RECORDED.has(type)) return undefined;
  const outcomeOf = OUTCOMES[textOf(outcome) ?? ''] ?? 'succeeded';
  const account = textOf(userId);
  const callerId = textOf(by) ?? currentContext()?.userId;
  return {
    type,
    outcome: outcomeOf,
    // Whoever fails to log in to an account is not known to be its owner.
    actorId: callerId ?? (outcomeOf === 'succeeded' ? account : undefined),
    userId: account,
    organizationId: textOf(organizationId),
    target: targetOf(rest),
    details: detailsOf(rest),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function targetOf(fields: Fields): SecurityTarget | undefined {
  for (const [field, kind] of TARGETS) {
    const id = textOf(fields[field]);
    if (id !== undefined) return { kind, id };
  }
  return undefined;
}

/** All but what stands in columns; the address comes from the request, as the event's own does. */
function detailsOf(fields: Fields): Fields {
  const target = TARGETS.find(([field]) => textOf(fields[field]) !== undefined)?.[0];
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => name !== target && name !== 'address'),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Answers that say no for a reason which has no event of its own. */
const UNREMARKABLE: ReadonlySet<string> = new Set([
  'AUTH_TOKEN_MISSING',
  'AUTH_TOKEN_EXPIRED',
  'AUTH_CREDENTIALS_INVALID',
  'AUTH_REFRESH_TOKEN_REUSED',
]);

/** What to record of a request that was refused for who asked. */
export function refusalOf({ status, code, detail }: FailedRequest): SecurityEvent | undefined {
  if ((status !== 401 && status !== 403) || UNREMARKABLE.has(code)) return undefined;
  return {
    type: status === 403 ? 'access-denied' : 'credential-refused',
    outcome: 'refused',
    details: { code, detail, route: currentContext()?.route },
  };
}
