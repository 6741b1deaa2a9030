import { Injectable, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { authEvents } from '../auth.events.js';
import { type AuthSettings, authSettings } from '../auth.settings.js';
import { AccountInputError } from '../errors/account-input.error.js';
import { BreachedPasswords } from './breached-passwords.js';
import { whyGuessable } from './guessable.js';

export interface NewPasswordOptions {
  /** Of the account; a password must not be made of it. */
  readonly email: string;
  /** Where the password stands in the input, for the error. Default: `body.password`. */
  readonly path?: string;
}

/** Decides which passwords an account may have. */
@Injectable()
export class PasswordPolicy implements OnApplicationShutdown {
  constructor(
    private readonly settings: SettingsStore,
    @Optional() private readonly breached?: BreachedPasswords,
  ) {}

  /**
   * Normalises a new password, and refuses one that is too short or too long, that would be guessed
   * first, or that is known from a breach. When breaches cannot be asked about, it is accepted, and an
   * event says so.
   * @throws AccountInputError AUTH_PASSWORD_UNSUITABLE or AUTH_PASSWORD_BREACHED that names the path
   */
  async accept(password: string, options: NewPasswordOptions): Promise<string> {
    const { email, path = 'body.password' } = options;
    const accepted = acceptNewPassword(password, this.settings.get(authSettings), path);
    const why = whyGuessable(accepted, [email.slice(0, email.lastIndexOf('@'))]);
    if (why !== undefined) {
      throw new AccountInputError(
        'AUTH_PASSWORD_UNSUITABLE',
        path,
        `This password would be guessed soon: ${why}.`,
      );
    }
    if (await this.isBreached(accepted)) {
      throw new AccountInputError(
        'AUTH_PASSWORD_BREACHED',
        path,
        'This password is known from a breach of another service; choose another one.',
      );
    }
    return accepted;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.breached?.close();
  }

  private async isBreached(password: string): Promise<boolean> {
    try {
      return (await this.breached?.includes(password)) ?? false;
    } catch (error) {
      authEvents.publish(() => ({ type: 'breach-check-failed', error }));
      return false;
    }
  }
}

/**
 * A password in the one form that is hashed and compared (NFKC, as NIST SP 800-63B 3.1.1.2 asks),
 * so that keyboards which compose characters differently agree. Nothing is trimmed.
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/**
 * Normalises a new password and refuses one that is too short or too long, counted in characters
 * (code points) after normalisation.
 * @throws AccountInputError that names `path`
 */
export function acceptNewPassword(
  password: string,
  settings: AuthSettings,
  path = 'body.password',
): string {
  const normalised = normalisePassword(password);
  const characters = Array.from(normalised).length;
  const { passwordMinCharacters: min, passwordMaxCharacters: max } = settings;
  if (characters < min || characters > max) {
    throw new AccountInputError(
      'AUTH_PASSWORD_UNSUITABLE',
      path,
      `A password must have ${min} to ${max} characters; this one has ${characters}.`,
    );
  }
  return normalised;
}
