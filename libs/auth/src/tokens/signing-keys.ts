import { randomBytes, webcrypto } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId } from '#libs/core';
import { authSettings } from '../auth.settings.js';
import { SigningKeyUnreadableError } from '../errors/signing-key.error.js';
import { KeyEncryption } from './key-encryption.js';
import { SigningKeyStore, type StoredSigningKey } from './signing-key.store.js';

/** A key ready for use. */
export interface ActiveSigningKey {
  readonly kid: string;
  readonly key: webcrypto.CryptoKey;
}

interface Keyring {
  readonly newest: ActiveSigningKey;
  readonly byId: ReadonlyMap<string, ActiveSigningKey>;
}

const SECRET_BYTES = 32;
/** A token with an unknown key id makes us look for new keys at most this often. */
const RELOAD_INTERVAL_MS = 10_000;

/**
 * The HS256 keys of this installation. They live in the database, so that every process signs
 * with the newest and accepts all. The first process to start makes the first key; when two do at
 * once, one wins and both use it.
 *
 * With `auth.encryptionKey` the keys are encrypted at rest, also those that were stored before it
 * was set. Without it whoever can read the table can sign tokens.
 */
@Injectable()
export class SigningKeys {
  private readonly encryption: KeyEncryption | undefined;
  private loading: Promise<Keyring> | undefined;
  private loadedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly store: SigningKeyStore,
    private readonly clock: Clock,
    settings: SettingsStore,
  ) {
    const { encryptionKey } = settings.get(authSettings);
    if (encryptionKey !== undefined) this.encryption = new KeyEncryption(encryptionKey);
  }

  /** The key that signs. @throws SigningKeyUnreadableError */
  async current(): Promise<ActiveSigningKey> {
    return (await this.keyring()).newest;
  }

  /** The key that a token names, or undefined. */
  async find(kid: string): Promise<ActiveSigningKey | undefined> {
    const known = (await this.keyring()).byId.get(kid);
    if (known !== undefined) return known;
    if (this.clock.monotonicMs() - this.loadedAtMs < RELOAD_INTERVAL_MS) return undefined;
    this.loading = undefined;
    return (await this.keyring()).byId.get(kid);
  }

  private keyring(): Promise<Keyring> {
    if (this.loading === undefined) {
      this.loadedAtMs = this.clock.monotonicMs();
      const loading = this.load();
      this.loading = loading;
      // A failure is for those who wait now; the next caller tries again.
      loading.catch(() => {
        if (this.loading === loading) this.loading = undefined;
      });
    }
    return this.loading;
  }

  private async load(): Promise<Keyring> {
    let stored = await this.store.all();
    if (stored.length === 0) {
      await this.store.add(this.generate());
      stored = await this.store.all();
    }
    const keys = await Promise.all(stored.map((row) => this.activate(row)));
    const newest = keys[0];
    if (newest === undefined) throw new Error('The signing key that was just stored is gone.');
    return { newest, byId: new Map(keys.map((key) => [key.kid, key])) };
  }

  private generate(): StoredSigningKey {
    const kid = newId();
    const secret = randomBytes(SECRET_BYTES);
    const { encryption } = this;
    return encryption === undefined
      ? { kid, generation: 1, encryption: 'none', secret }
      : { kid, generation: 1, encryption: 'aes-256-gcm', secret: encryption.encrypt(kid, secret) };
  }

  private async activate(row: StoredSigningKey): Promise<ActiveSigningKey> {
    const secret = await this.reveal(row);
    const key = await webcrypto.subtle.importKey(
      'raw',
      secret,
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    );
    return { kid: row.kid, key };
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
