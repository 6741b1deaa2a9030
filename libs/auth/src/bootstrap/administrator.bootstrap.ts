import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { DataSource } from 'typeorm';
import { AccountStore } from '../accounts/account.store.js';
import { authSettings } from '../auth.settings.js';
import { AdministratorError } from '../errors/administrator.error.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { SigningKeys } from '../tokens/signing-keys.js';

/** Who administers this installation. */
export interface Administrator {
  /** Whether this call created the account. */
  readonly created: boolean;
  readonly email: string;
  /** Only when the account was created and no password was set: show it once, it is not kept. */
  readonly generatedPassword?: string;
}

/** Two processes that start at once meet on this advisory lock. */
const BOOTSTRAP_LOCK_KEY = 7_262_684_002;
const ORGANIZATION_NAME = 'Pantheon';
/** Without the characters that people mistake for one another. 24 of these 56 are 139 bits. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
const GENERATED_CHARACTERS = 24;

/**
 * Makes sure that an installation can be used: that it has a key to sign tokens with, which can be
 * read, and an administrator. Once there is one, active or not, the settings for the first no
 * longer matter.
 */
@Injectable()
export class AdministratorBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountStore,
    private readonly passwords: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly signingKeys: SigningKeys,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * Call it after the migrations and before requests come in. Any number of processes may do so
   * at once; one of them creates the account.
   * @throws SigningKeyUnreadableError when the encryption key is not the one that was
   * @throws AdministratorError when the email belongs to somebody else
   * @throws AccountInputError when the password that was set does not suit
   */
  async ensure(): Promise<Administrator> {
    const [existing] = await Promise.all([
      this.accounts.findAdministratorEmail(),
      this.signingKeys.current(),
    ]);
    if (existing !== undefined) return { created: false, email: existing };
    const settings = this.settings.get(authSettings);
    const { adminEmail: email, adminPassword: given } = settings;
    const generated = given === undefined ? generate(settings.passwordMinCharacters) : undefined;
    const password = await this.policy.accept(given ?? generated ?? '', {
      email,
      path: 'PANTHEON_ADMIN_PASSWORD',
    });
    const passwordHash = await this.passwords.hash(password);
    return this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK_KEY]);
      const winner = await this.accounts.findAdministratorEmail(manager);
      if (winner !== undefined) return { created: false, email: winner };
      const nowMs = this.clock.nowMs();
      const account = { email, passwordHash, organizationName: ORGANIZATION_NAME, nowMs };
      const created = await this.accounts.createWithOrganization(
        { ...account, role: 'admin' },
        manager,
      );
      if (created === undefined) throw new AdministratorError(email);
      return {
        created: true,
        email,
        ...(generated === undefined ? {} : { generatedPassword: generated }),
      };
    });
  }
}

function generate(minCharacters: number): string {
  const length = Math.max(GENERATED_CHARACTERS, minCharacters);
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
