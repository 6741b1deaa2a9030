import { describe, expect, it } from '@jest/globals';
import { Keyring, type RingKey } from './keyring.js';

function key(generation: number, signsFromMs: number, expiresAtMs: number | null): RingKey {
  return {
    kid: `k${generation}`,
    generation,
    createdAt: new Date(0),
    signsFrom: new Date(signsFromMs),
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
  } as RingKey;
}

describe('Keyring', () => {
  const ring = new Keyring([key(3, 300, null), key(2, 200, 400), key(1, 100, 250)]);

  it('signs with the newest key whose time has come', () => {
    expect(ring.signing(199)?.kid).toBe('k1');
    expect(ring.signing(200)?.kid).toBe('k2');
    expect(ring.signing(300)?.kid).toBe('k3');
  });

  it('signs with the oldest when a clock is behind all of them', () => {
    expect(ring.signing(0)?.kid).toBe('k1');
  });

  it('verifies with all but those whose time is over', () => {
    expect(ring.published(249).map(({ kid }) => kid)).toEqual(['k3', 'k2', 'k1']);
    expect(ring.published(250).map(({ kid }) => kid)).toEqual(['k3', 'k2']);
    expect(ring.find('k1', 249)?.kid).toBe('k1');
    expect(ring.find('k1', 250)).toBeUndefined();
    expect(ring.find('k4', 0)).toBeUndefined();
  });

  it('tells what each key is for', () => {
    expect(ring.keys.map((one) => ring.partOf(one, 210))).toEqual(['next', 'signing', 'verifying']);
  });
});
