import { describe, expect, it } from '@jest/globals';
import { createContext, runWithContext } from '#libs/logging';
import type { AuthEvent } from '../auth.events.js';
import { eventOf, refusalOf } from './event-of.js';

const USER = '01900000-0000-7000-8000-00000000000a';
const CALLER = '01900000-0000-7000-8000-00000000000b';
const SESSION = '01900000-0000-7000-8000-00000000000c';

describe('eventOf', () => {
  it('takes who logged in for the actor, and nobody for who failed to', () => {
    expect(eventOf({ type: 'login', outcome: 'succeeded', userId: USER })).toMatchObject({
      type: 'login',
      outcome: 'succeeded',
      actorId: USER,
      userId: USER,
    });
    const failed = { type: 'login', outcome: 'failed', userId: USER, address: '192.0.2.1' };
    const event = eventOf(failed as unknown as AuthEvent);
    expect(event).toMatchObject({ outcome: 'failed', userId: USER, details: {} });
    expect(event?.actorId).toBeUndefined();
  });

  it('counts what was throttled as refused', () => {
    expect(eventOf({ type: 'login', outcome: 'throttled', address: 'a' })?.outcome).toBe('refused');
  });

  it('names what an event is about by the field that holds its id, and keeps the rest as details', () => {
    const theft = { type: 'refresh-token-reused', userId: USER, sessionId: SESSION } as const;
    expect(eventOf(theft)).toMatchObject({ target: { kind: 'session', id: SESSION }, details: {} });
    const made = { type: 'client-made', clientId: 'c', sessionId: SESSION, by: CALLER, name: 'n' };
    expect(eventOf(made as unknown as AuthEvent)).toMatchObject({
      actorId: CALLER,
      target: { kind: 'oauth-client', id: 'c' },
      details: { sessionId: SESSION, name: 'n' },
    });
  });

  it('takes the caller of the request for the actor where the event names another account', () => {
    const event = runWithContext(createContext({ userId: CALLER }), () =>
      eventOf({ type: 'sessions-ended', userId: USER, count: 2 }),
    );
    expect(event).toMatchObject({ actorId: CALLER, userId: USER, details: { count: 2 } });
  });

  it('leaves out what happens every few minutes, and signs of the platform’s own health', () => {
    expect(eventOf({ type: 'refreshed', userId: USER })).toBeUndefined();
    expect(eventOf({ type: 'eviction-unconfirmed', what: 'user' })).toBeUndefined();
  });
});

describe('refusalOf', () => {
  const requestId = 'r';

  it('tells who may not from whom nobody knows', () => {
    const denied = { status: 403, code: 'AUTH_PERMISSION_DENIED', detail: 'You need …', requestId };
    expect(refusalOf(denied)).toMatchObject({
      type: 'access-denied',
      outcome: 'refused',
      details: { code: 'AUTH_PERMISSION_DENIED', detail: 'You need …' },
    });
    const forged = { status: 401, code: 'AUTH_TOKEN_INVALID', requestId };
    expect(refusalOf(forged)).toMatchObject({ type: 'credential-refused' });
  });

  it.each([
    [401, 'AUTH_TOKEN_MISSING'],
    [401, 'AUTH_TOKEN_EXPIRED'],
    [401, 'AUTH_CREDENTIALS_INVALID'],
    [404, 'SOURCE_NOT_FOUND'],
    [500, 'INTERNAL_ERROR'],
  ])('says nothing of %i %s', (status, code) => {
    expect(refusalOf({ status, code, requestId })).toBeUndefined();
  });
});
