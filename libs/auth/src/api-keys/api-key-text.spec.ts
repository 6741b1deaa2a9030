import { describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import { apiKeyHash, lookupIdOf, newApiKeyText } from './api-key-text.js';

describe('the text of an API key', () => {
  it('is 69 characters that a double click selects, and begins so that scanners know it', () => {
    for (let round = 0; round < 100; round += 1) {
      expect(newApiKeyText().text).toMatch(/^pan_[0-9A-Za-z]{65}$/);
    }
  });

  it('is found by its first characters, and kept as the SHA-256 of all', () => {
    const { text, lookupId, hash: kept } = newApiKeyText();
    expect(text.slice(4)).toMatch(new RegExp(`^${lookupId}`));
    expect(lookupIdOf(text)).toBe(lookupId);
    expect(kept).toEqual(hash('sha256', text, 'buffer'));
    expect(kept).toEqual(apiKeyHash(text));
  });

  it('has as many bits as it says: every character is as likely as any other', () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 4_000; round += 1) {
      for (const character of newApiKeyText().text.slice(4, 63)) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(62);
    const expected = (4_000 * 59) / 62;
    // Six standard deviations.
    const bound = 6 * Math.sqrt(expected);
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(bound);
  });

  it('never comes twice', () => {
    const texts = new Set(Array.from({ length: 10_000 }, () => newApiKeyText().text));
    expect(texts.size).toBe(10_000);
  });

  it('is told from one with any single character changed', () => {
    const { text } = newApiKeyText();
    for (let at = 0; at < text.length; at += 1) {
      const other = text.charAt(at) === 'x' ? 'y' : 'x';
      expect(lookupIdOf(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    }
  });

  it.each(['', 'pan_', 'prt_abc', `pan_${'0'.repeat(65)}1`, `pan_${'é'.repeat(65)}`, 'eyJ.a.b'])(
    'is told from %j',
    (text) => {
      expect(lookupIdOf(text)).toBeUndefined();
    },
  );
});
