import { newId } from '#libs/core';
import { currentContext, maskSecretsIn, MASK, SecretNames } from '#libs/logging';
import type { SecurityEvent, SecurityRecord } from './security-event.js';
import { storableJson, storableText } from './storable.js';

const MAX_USER_AGENT_CHARACTERS = 200;
const secretNames = new SecretNames();

/** The record of an event, with what the request at hand tells of who asked and from where. */
export function recordOf(event: SecurityEvent, nowMs: number): SecurityRecord {
  const context = currentContext();
  const actorId = event.actorId ?? context?.userId ?? null;
  const isOwn = event.actorId === undefined || event.actorId === context?.userId;
  return {
    id: newId(nowMs),
    occurredAt: new Date(nowMs),
    type: event.type,
    outcome: event.outcome ?? 'succeeded',
    actorId,
    userId: event.userId ?? actorId,
    organizationId: event.organizationId ?? (isOwn ? (context?.organizationId ?? null) : null),
    targetKind: event.target?.kind ?? null,
    targetId: event.target === undefined ? null : storableText(event.target.id),
    address: context?.address?.() ?? null,
    userAgent: userAgentOf(context?.header?.('user-agent')),
    requestId: context?.requestId ?? null,
    occurrences: 1,
    details: storableJson(event.details ?? {}, masked),
  };
}

/** Enough to tell programs and devices apart. */
function userAgentOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  return storableText(header.slice(0, MAX_USER_AGENT_CHARACTERS));
}

function masked(name: string, value: unknown): unknown {
  if (secretNames.isSecret(name, value)) return MASK;
  return typeof value === 'string' ? maskSecretsIn(value) : value;
}
