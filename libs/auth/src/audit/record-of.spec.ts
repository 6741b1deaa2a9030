import { describe, expect, it } from '@jest/globals';
import { createContext, runWithContext } from '#libs/logging';
import { recordOf } from './record-of.js';

const NOW_MS = Date.UTC(2026, 10, 20);

describe('recordOf', () => {
  it('adds who asked, from where and in which request', () => {
    const context = {
      ...createContext({ requestId: 'request-1', userId: 'u', organizationId: 'o' }),
      address: () => '192.0.2.1',
      header: (name: string) => (name === 'user-agent' ? 'x'.repeat(1_000) : undefined),
    };
    const record = runWithContext(context, () => recordOf({ type: 'role-created' }, NOW_MS));
    expect(record).toMatchObject({
      occurredAt: new Date(NOW_MS),
      outcome: 'succeeded',
      actorId: 'u',
      userId: 'u',
      organizationId: 'o',
      address: '192.0.2.1',
      userAgent: 'x'.repeat(200),
      requestId: 'request-1',
      occurrences: 1,
      details: {},
    });
  });

  it('holds no secret, whatever an event gives it', () => {
    const details = {
      password: 'hunter2-hunter2',
      nested: { apiKey: 'pan_abc', note: 'Authorization: Bearer abcdefgh' },
    };
    const text = JSON.stringify(recordOf({ type: 'test', details }, NOW_MS));
    expect(text).not.toMatch(/hunter2|pan_abc|abcdefgh/);
    expect(text).toContain('"password":"***"');
  });

  it('holds nothing that the database refuses, and nothing without bounds', () => {
    const details = {
      nul: 'a\0b',
      half: 'a\uD800b',
      long: 'x'.repeat(10_000),
      many: Array.from({ length: 1_000 }, (_, index) => index),
      deep: { a: { b: { c: { d: { e: 1 } } } } },
      infinite: Number.POSITIVE_INFINITY,
      when: new Date(NOW_MS),
      error: new Error('boom'),
      nothing: undefined,
    };
    const { details: kept } = recordOf({ type: 'test', details }, NOW_MS);
    expect(kept).toMatchObject({ nul: 'ab', half: 'a\uFFFDb', infinite: null, error: 'boom' });
    expect(kept['when']).toBe('2026-11-20T00:00:00.000Z');
    expect(kept).not.toHaveProperty('nothing');
    expect(JSON.stringify(kept).length).toBeLessThan(2_000);
  });
});
