import { describe, expect, it } from '@jest/globals';
import { isUuid, newId } from './ids.js';

describe('newId', () => {
  it('makes UUIDs of version 7 that carry their time', () => {
    const nowMs = Date.now() + 60_000;
    const id = newId(nowMs);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(nowMs);
    expect(isUuid(id)).toBe(true);
  });

  it('orders ids by creation, also within one millisecond and when the clock steps back', () => {
    const nowMs = Date.now() + 120_000;
    const ids = Array.from({ length: 20_000 }, (_, index) => newId(nowMs - (index % 3)));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
