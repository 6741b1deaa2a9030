import type { z } from 'zod';
import type { LiveSessionRow } from '../sessions/session.store.js';
import type { sessionSchema } from './sessions.schemas.js';

/** A session as its user sees it; `currentId` is that of the session of the request. */
export function toSession(
  session: LiveSessionRow,
  currentId: string,
): z.infer<typeof sessionSchema> {
  const { id, requestCount, address, userAgent, important, risk, idleTimeoutSeconds } = session;
  return {
    id,
    current: id === currentId,
    clientId: session.clientId,
    scope: session.scope,
    createdAt: session.createdAt.toISOString(),
    lastActiveAt: session.lastActiveAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    requestCount,
    address,
    userAgent,
    important,
    risk,
    anomalies: [...session.anomalies],
    idleTimeoutSeconds,
  };
}
