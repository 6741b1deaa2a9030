import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts signing keys at rest with AES-256-GCM under a key derived (HKDF-SHA-256, RFC 5869) from
 * a text of high entropy. The key id is authenticated, so that stored keys cannot be swapped.
 * Layout: 12 bytes IV, 16 bytes tag, ciphertext.
 */
export class KeyEncryption {
  private readonly key: Buffer;

  constructor(encryptionKey: string) {
    // oxlint-disable-next-line node/no-sync -- microseconds, once at start
    const derived = hkdfSync('sha256', encryptionKey, 'pantheon', 'auth signing key', 32);
    this.key = Buffer.from(derived);
  }

  encrypt(kid: string, secret: Buffer): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(kid));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]);
  }

  /** @throws when the key is another one or the bytes were changed */
  decrypt(kid: string, sealed: Buffer): Buffer {
    const iv = sealed.subarray(0, IV_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(kid));
    decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([
      decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
  }
}
