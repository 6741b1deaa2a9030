import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { newId } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { SigningKeyUnreadableError } from '../errors/signing-key.error.js';
import { KeyEncryption } from './key-encryption.js';
import type { RingKey } from './keyring.js';
import { generatePrivateKey, importKeyPair, SIGNING_ALGORITHM } from './signing-key-pair.js';
import { SigningKeyStore, type StoredSigningKey } from './signing-key.store.js';

/**
 * Turns key pairs into what is stored of them and back. With `auth.encryptionKey` they are encrypted
 * at rest, also those that were stored before it was set. Without it whoever can read the table can
 * sign tokens.
 */
@Injectable()
export class SigningKeyVault {
  private readonly encryption: KeyEncryption | undefined;

  constructor(
    private readonly store: SigningKeyStore,
    settings: SettingsStore,
  ) {
    const { encryptionKey } = settings.get(authSettings);
    if (encryptionKey !== undefined) this.encryption = new KeyEncryption(encryptionKey);
  }

  /** A new key as it is to be stored. */
  async generate(generation: number, createdAt: Date, signsFrom: Date): Promise<StoredSigningKey> {
    const kid = newId(createdAt.getTime());
    const secret = await generatePrivateKey();
    const sealed = this.encryption?.encrypt(kid, secret);
    return {
      kid,
      generation,
      algorithm: SIGNING_ALGORITHM,
      encryption: sealed === undefined ? 'none' : 'aes-256-gcm',
      secret: sealed ?? secret,
      createdAt,
      signsFrom,
      expiresAt: null,
    };
  }

  /** @throws SigningKeyUnreadableError */
  async open(row: StoredSigningKey): Promise<RingKey> {
    const { kid, generation, createdAt, signsFrom, expiresAt } = row;
    const pair = await importKeyPair(kid, await this.reveal(row));
    return { ...pair, generation, createdAt, signsFrom, expiresAt };
  }

  private async reveal({ kid, encryption, secret }: StoredSigningKey): Promise<Buffer> {
    if (encryption === 'none') {
      if (this.encryption !== undefined) {
        await this.store.encrypt(kid, this.encryption.encrypt(kid, secret));
      }
      return secret;
    }
    if (this.encryption === undefined) {
      throw new SigningKeyUnreadableError(kid, 'no-encryption-key');
    }
    try {
      return this.encryption.decrypt(kid, secret);
    } catch (cause) {
      throw new SigningKeyUnreadableError(kid, 'other-encryption-key', cause);
    }
  }
}
