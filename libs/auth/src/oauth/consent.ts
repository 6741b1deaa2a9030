import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { PantheonError } from '#libs/core';
import { emailSchema } from '../accounts/email.js';
import { Login } from '../accounts/login.js';
import { authSettings } from '../auth.settings.js';
import { OAuthError } from '../errors/oauth.error.js';
import {
  Authorization,
  type AuthorizationOutcome,
  type AuthorizationRequest,
} from './authorization.js';
import { authorizePage, type AuthorizeForm, faultPage } from './pages/authorize.page.js';
import { CsrfCookie } from './pages/csrf-cookie.js';
import type { Page } from './pages/page.js';
import { Parameters } from './parameters.js';

/** From whom a request comes, as far as HTTP tells. */
export interface Visitor {
  readonly address: string;
  readonly cookies: string | undefined;
  /** The header `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined;
}

/** What a browser is answered with. */
export type ConsentAnswer =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'redirect'; readonly location: string };

const MAX_PASSWORD_CHARACTERS = 1_024;

/**
 * Asks a person whether a client may act for them. They log in on the same page and each time: no
 * cookie of a log-in is kept that another page could make use of. Attempts are throttled with those
 * of the API.
 */
@Injectable()
export class Consent {
  private readonly csrf: CsrfCookie;

  constructor(
    private readonly authorization: Authorization,
    private readonly login: Login,
    settings: SettingsStore,
  ) {
    this.csrf = new CsrfCookie(settings.get(authSettings).issuer);
  }

  /** The page that asks, or what becomes of a request that nobody can be asked about. */
  async ask(query: unknown, visitor: Visitor): Promise<ConsentAnswer> {
    const read = await this.read(() => Parameters.ofQuery(query));
    if (read.kind !== 'ask') return read;
    return this.askAgain(read.request, visitor, { status: 200 });
  }

  /** What becomes of what the person has said. */
  async decide(body: unknown, visitor: Visitor): Promise<ConsentAnswer> {
    let parameters: Parameters | undefined;
    const read = await this.read(() => (parameters = Parameters.ofForm(body)));
    if (read.kind !== 'ask' || parameters === undefined) return read as ConsentAnswer;
    const { request } = read;
    if (!this.isOwnForm(parameters, visitor)) {
      const fault = 'The form was open for too long, or was not ours. Please try again.';
      return this.askAgain(request, visitor, { status: 403, fault });
    }
    if (parameters.get('decision') !== 'allow') {
      return { kind: 'redirect', location: this.authorization.deny(request) };
    }
    return this.allow(request, parameters, visitor);
  }

  private async read(parse: () => Parameters): Promise<ReadOutcome> {
    try {
      return await this.authorization.read(parse());
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      return { kind: 'page', page: faultPage(error.message) };
    }
  }

  private async allow(
    request: AuthorizationRequest,
    parameters: Parameters,
    visitor: Visitor,
  ): Promise<ConsentAnswer> {
    const email = parameters.get('email') ?? '';
    const parsed = emailSchema.safeParse(email);
    const password = parameters.get('password') ?? '';
    if (!parsed.success || password === '' || password.length > MAX_PASSWORD_CHARACTERS) {
      const fault = 'The email or the password is wrong.';
      return this.askAgain(request, visitor, { status: 403, fault, email });
    }
    try {
      const { address } = visitor;
      const verified = await this.login.verify({ email: parsed.data, password, address });
      return { kind: 'redirect', location: await this.authorization.allow(request, verified) };
    } catch (error) {
      if (!(error instanceof PantheonError)) throw error;
      const status = STATUS_OF_REFUSAL[error.kind];
      if (status === undefined) throw error;
      const { message: fault, retryAfterSeconds } = error;
      return this.askAgain(request, visitor, { status, fault, email, retryAfterSeconds });
    }
  }

  private askAgain(
    request: AuthorizationRequest,
    visitor: Visitor,
    form: Omit<AuthorizeForm, 'csrfToken' | 'cookie'>,
  ): ConsentAnswer {
    const { token: csrfToken, header: cookie } = this.csrf.issue(visitor.cookies);
    return { kind: 'page', page: authorizePage(request, { ...form, csrfToken, cookie }) };
  }

  private isOwnForm(parameters: Parameters, { cookies, fetchSite }: Visitor): boolean {
    if (fetchSite !== undefined && fetchSite !== 'same-origin') return false;
    return this.csrf.matches(cookies, parameters.get('csrf_token'));
  }
}

type ReadOutcome = AuthorizationOutcome | Extract<ConsentAnswer, { kind: 'page' }>;

/** What a person is told on the page; anything else is a fault of ours. */
const STATUS_OF_REFUSAL: Partial<Record<PantheonError['kind'], number>> = {
  unauthenticated: 403,
  forbidden: 403,
  'rate-limited': 429,
  unavailable: 503,
};
