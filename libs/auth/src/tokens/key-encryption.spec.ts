import { describe, expect, it } from '@jest/globals';
import { KeyEncryption } from './key-encryption.js';

describe('KeyEncryption', () => {
  const encryption = new KeyEncryption('an encryption key of some length');
  const secret = Buffer.from('the secret of a signing key');
  const sealed = encryption.encrypt('kid-1', secret);

  it('gives back what it encrypted', () => {
    expect(encryption.decrypt('kid-1', sealed)).toEqual(secret);
    expect(sealed.includes(secret)).toBe(false);
  });

  it('encrypts differently each time', () => {
    expect(encryption.encrypt('kid-1', secret)).not.toEqual(sealed);
  });

  it('refuses another key, another key id, and changed bytes', () => {
    const other = new KeyEncryption('another encryption key of length');
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(() => other.decrypt('kid-1', sealed)).toThrow();
    expect(() => encryption.decrypt('kid-2', sealed)).toThrow();
    expect(() => encryption.decrypt('kid-1', changed)).toThrow();
    expect(() => encryption.decrypt('kid-1', Buffer.alloc(3))).toThrow();
  });
});
