import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, type Principal } from '#libs/core';
import { clientKeyOf } from '#libs/http';
import { authEvents } from '../auth.events.js';
import { authSettings } from '../auth.settings.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { PrincipalLoader } from '../principals/principal.loader.js';
import { FailureThrottle } from '../throttle/failure-throttle.js';
import { AccountStore, type CreatedAccount } from './account.store.js';

export interface RegistrationRequest {
  /** In lower case, as `emailSchema` makes it. */
  readonly email: string;
  readonly password: string;
  /** Default: what stands before the `@`. */
  readonly organizationName?: string | undefined;
  /** IP address that the request comes from. */
  readonly address: string;
}

/**
 * Lets a stranger make an account with an organization of its own, as its owner.
 *
 * A taken email answers 409, which tells that an account exists: without a mail to confirm by,
 * every answer would. It says no more than that, costs the same time, and whoever tries many
 * emails is throttled. `auth.registration: closed` shuts the door.
 */
@Injectable()
export class Registration {
  constructor(
    private readonly accounts: AccountStore,
    private readonly passwords: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly principals: PrincipalLoader,
    private readonly throttle: FailureThrottle,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * @throws ForbiddenError AUTH_REGISTRATION_CLOSED
   * @throws AccountInputError when the password does not suit
   * @throws AccountConflictError AUTH_EMAIL_UNAVAILABLE
   * @throws ThrottledError after too many conflicts
   */
  async register(request: RegistrationRequest): Promise<Principal> {
    const settings = this.settings.get(authSettings);
    if (settings.registration === 'closed') {
      throw new ForbiddenError('AUTH_REGISTRATION_CLOSED', 'Registration is closed here.');
    }
    const password = await this.policy.accept(request.password, request);
    const client = {
      key: `register:address:${clientKeyOf(request.address)}`,
      limit: settings.registrationConflictsPerAddress,
    };
    const created = await this.throttle.attempt([client], () => this.create(request, password));
    const principal =
      created === undefined ? undefined : await this.principals.ofUser(created.userId);
    if (principal === undefined) {
      throw new AccountConflictError(
        'AUTH_EMAIL_UNAVAILABLE',
        'No account can be made with this email.',
      );
    }
    authEvents.publish(() => ({ type: 'registered', userId: principal.userId }));
    return principal;
  }

  private async create(
    { email, organizationName }: RegistrationRequest,
    password: string,
  ): Promise<CreatedAccount | undefined> {
    return this.accounts.createWithOrganization({
      email,
      passwordHash: await this.passwords.hash(password),
      organizationName: organizationName ?? email.slice(0, email.indexOf('@')),
      role: 'owner',
      nowMs: this.clock.nowMs(),
    });
  }
}
