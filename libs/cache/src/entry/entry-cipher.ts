import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CacheOptionsError } from '../errors/cache-options.error.js';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A key for entries outside the process. Its id is written with what it encrypts. */
export interface EncryptionKey {
  /** 1 to 255 bytes of UTF-8. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/**
 * AES-256-GCM over whole entries, bound to the cache key, so that an entry that was moved to
 * another key is refused. Encrypts with the first key and decrypts with any: to rotate, put the new
 * key in front and drop the old one once its entries have expired.
 */
export class EntryCipher {
  private readonly keys: ReadonlyMap<string, Uint8Array>;
  private readonly current: EncryptionKey;

  constructor(keys: readonly EncryptionKey[]) {
    const [current] = keys;
    if (current === undefined) {
      throw new CacheOptionsError('The encryption of cache entries was asked for without a key.');
    }
    for (const { id, key } of keys) {
      const idBytes = Buffer.byteLength(id);
      if (key.length !== 32 || idBytes < 1 || idBytes > 255) {
        throw new CacheOptionsError(
          `The cache encryption key "${id}" needs 32 bytes, and an id of 1 to 255 bytes.`,
        );
      }
    }
    this.current = current;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  encrypt(plain: Buffer, cacheKey: string): Buffer {
    const id = Buffer.from(this.current.id);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.current.key, iv);
    cipher.setAAD(Buffer.from(cacheKey));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(id.length), id, iv, cipher.getAuthTag(), body]);
  }

  /** Throws when the key is unknown, or the bytes are not what was written for `cacheKey`. */
  decrypt(sealed: Buffer, cacheKey: string): Buffer {
    const idEnd = 1 + (sealed[0] ?? 0);
    const id = sealed.toString('utf8', 1, idEnd);
    const key = this.keys.get(id);
    if (key === undefined) throw new Error(`no encryption key has the id "${id}"`);
    const ivEnd = idEnd + IV_BYTES;
    const tagEnd = ivEnd + TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(idEnd, ivEnd), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(cacheKey));
    decipher.setAuthTag(sealed.subarray(ivEnd, tagEnd));
    return Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()]);
  }
}
