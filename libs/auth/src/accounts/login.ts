import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { clientKeyOf } from '#libs/http';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { ThrottledError } from '../errors/auth-overload.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { normalisePassword } from '../passwords/password-policy.js';
import { Sessions, type TokenPair } from '../sessions/sessions.js';
import { FailureThrottle, type ThrottleKey } from '../throttle/failure-throttle.js';
import { AccountStore, type Credentials } from './account.store.js';

export interface LoginAttempt {
  /** In lower case, as `emailSchema` makes it. */
  readonly email: string;
  readonly password: string;
  /** IP address that the attempt comes from. */
  readonly address: string;
  /** As `deviceOf` cuts it. */
  readonly userAgent?: string | undefined;
  /** Whether the work of the session is important, and may rest for longer. Default: false. */
  readonly important?: boolean | undefined;
}

/** A log-in whose password was right. */
export interface VerifiedLogin {
  readonly userId: string;
  /** What the password was checked against. */
  readonly passwordHash: string;
  /** Attempts on the account that failed just before it. */
  readonly failuresBefore: number;
}

/** Whose account somebody has tried to log in to, if it is one: for the record, never for the answer. */
interface TriedAccount {
  userId?: string;
}

/**
 * Checks an email and a password. An unknown email, a wrong password and a disabled account
 * answer alike and take equally long: each costs one look-up and one argon2id.
 */
@Injectable()
export class Login {
  constructor(
    private readonly accounts: AccountStore,
    private readonly passwords: PasswordHasher,
    private readonly sessions: Sessions,
    private readonly throttle: FailureThrottle,
    private readonly settings: SettingsStore,
  ) {}

  /** Opens a session. Throws like `verify`. */
  login(attempt: LoginAttempt): Promise<TokenPair> {
    return this.attempt(attempt, (verified) =>
      this.sessions.open(verified.userId, { ...attempt, ...verified }),
    );
  }

  /**
   * Who has this email and password.
   * @throws UnauthenticatedError AUTH_CREDENTIALS_INVALID
   * @throws ThrottledError after too many failures; PasswordQueueFullError under overload
   */
  verify(attempt: LoginAttempt): Promise<VerifiedLogin> {
    return this.attempt(attempt, (verified) => Promise.resolve(verified));
  }

  private async attempt<Result>(
    attempt: LoginAttempt,
    goOn: (verified: VerifiedLogin) => Promise<Result>,
  ): Promise<Result> {
    const { address } = attempt;
    const tried: TriedAccount = {};
    try {
      const keys = this.keysOf(attempt);
      let failuresBefore = 0;
      const account = await this.throttle.attempt(keys.all, (failures) => {
        failuresBefore = Math.max(...keys.ofAccount.map(({ key }) => failures.get(key) ?? 0));
        return this.check(attempt, tried);
      });
      if (account === undefined) throw new UnauthenticatedError('AUTH_CREDENTIALS_INVALID');
      const { userId, passwordHash } = account;
      const result = await goOn({ userId, passwordHash, failuresBefore });
      authEvents.publish(() => ({ type: 'login', outcome: 'succeeded', userId }));
      return result;
    } catch (error) {
      if (error instanceof UnauthenticatedError) {
        authEvents.publish(() => ({ type: 'login', outcome: 'failed', address, ...tried }));
      } else if (error instanceof ThrottledError) {
        authEvents.publish(() => ({ type: 'login', outcome: 'throttled', address }));
      }
      throw error;
    }
  }

  private async check(
    attempt: LoginAttempt,
    tried: TriedAccount,
  ): Promise<Credentials | undefined> {
    const { email, password } = attempt;
    const account = await this.accounts.findCredentials(email);
    if (account !== undefined) tried.userId = account.userId;
    const normalised = normalisePassword(password);
    const matches = await this.passwords.matches(normalised, account?.passwordHash);
    if (account === undefined || !matches || account.disabled) return undefined;
    const { userId, passwordHash } = account;
    if (!(await this.passwords.isOutdated(passwordHash))) return account;
    const renewed = await this.passwords.hash(normalised);
    if (await this.accounts.replaceHash(userId, passwordHash, renewed)) {
      return { ...account, passwordHash: renewed };
    }
    // Another log-in has renewed it in this moment, or the password was changed.
    return this.check(attempt, tried);
  }

  private keysOf({ email, address }: LoginAttempt): LoginKeys {
    const limits = this.settings.get(authSettings);
    const client = clientKeyOf(address);
    // Emails are hashed so that the table holds neither addresses of people nor long texts.
    const account = hash('sha256', email, 'base64');
    const ofAccount = [
      {
        key: `login:client:${client}:${account}`,
        limit: limits.loginFailuresPerClient,
        forgiving: true,
      },
      { key: `login:account:${account}`, limit: limits.loginFailuresPerAccount },
    ];
    const ofAddress = { key: `login:address:${client}`, limit: limits.loginFailuresPerAddress };
    return { ofAccount, all: [...ofAccount, ofAddress] };
  }
}

/** What the failures of an attempt are counted by. */
interface LoginKeys {
  /** By what neighbours on the same address, who try other accounts, are not counted. */
  readonly ofAccount: readonly ThrottleKey[];
  readonly all: readonly ThrottleKey[];
}
