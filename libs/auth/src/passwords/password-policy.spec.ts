import { describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { authSettings } from '../auth.settings.js';
import { acceptNewPassword } from './password-policy.js';

const settings = new SettingsStore([authSettings]).get(authSettings);

describe('acceptNewPassword', () => {
  it('takes passwords from the shortest to the longest', () => {
    expect(acceptNewPassword('x'.repeat(12), settings)).toBe('x'.repeat(12));
    expect(acceptNewPassword('x'.repeat(128), settings)).toHaveLength(128);
  });

  it.each([11, 129])('refuses one of %i characters and names the field', (length) => {
    expect(() => acceptNewPassword('x'.repeat(length), settings)).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'AUTH_PASSWORD_UNSUITABLE',
        faults: [expect.objectContaining({ path: 'body.password' })],
      }),
    );
  });

  it('counts characters, not UTF-16 units', () => {
    expect(() => acceptNewPassword('🔑'.repeat(11), settings)).toThrow('this one has 11');
    expect(acceptNewPassword('🔑'.repeat(128), settings)).toBe('🔑'.repeat(128));
  });

  it('keeps blanks at the ends', () => {
    expect(acceptNewPassword('  twelve chars  ', settings)).toBe('  twelve chars  ');
  });

  it('gives composed and decomposed characters the same form', () => {
    const composed = 'Zo\u00eb likes caf\u00e9s';
    const decomposed = 'Zoe\u0308 likes cafe\u0301s';
    expect(acceptNewPassword(decomposed, settings)).toBe(acceptNewPassword(composed, settings));
  });
});
