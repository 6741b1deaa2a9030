import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  type GuardedRequest,
  Public,
  RequireSession,
  type RouteCheck,
  RouteChecks,
  type RouteGuard,
} from '#libs/http';
import { currentContext } from '#libs/logging';
import { type Authentication, Authenticator } from '../accounts/authenticator.js';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { SessionActivity } from '../sessions/session-activity.js';

/**
 * Demands a valid access token or API key for every handler that is not `@Public()`, and a session
 * where `@RequireSession()` says so.
 */
@Injectable()
export class AuthGuard implements CanActivate, RouteGuard {
  private readonly checks = new RouteChecks((handler, controller) => {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    const isPublic = this.reflector.getAllAndOverride(Public, targets) !== undefined;
    if (isPublic) return undefined;
    const needsSession = this.reflector.getAllAndOverride(RequireSession, targets) !== undefined;
    return needsSession ? this.checkSession : this.check;
  });

  constructor(
    private readonly authenticator: Authenticator,
    private readonly activity: SessionActivity,
    private readonly reflector: Reflector,
  ) {}

  /**
   * Puts the principal on the request, and who it is into the context of the request.
   * @throws UnauthenticatedError
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.checks.ask(context);
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    return this.checks.of(handler, controller);
  }

  private readonly check = (request: GuardedRequest): Promise<void> | void => {
    const known = this.authenticator.authenticateFromMemory(request);
    if (known === undefined) return this.authenticate(request);
    this.admit(request, known);
  };

  private readonly checkSession = (request: GuardedRequest): Promise<void> | void => {
    const pending = this.check(request);
    if (pending !== undefined) return pending.then(() => demandSession(request));
    demandSession(request);
  };

  private async authenticate(request: GuardedRequest): Promise<void> {
    this.admit(request, await this.authenticator.authenticate(request));
  }

  private admit(request: GuardedRequest, { principal, credential }: Authentication): void {
    request.principal = principal;
    request.credential = credential;
    if (credential.kind === 'session') this.activity.note(credential.id, request);
    const context = currentContext();
    if (context === undefined) return;
    context.userId = principal.userId;
    context.organizationId = principal.organizationId;
    if (principal.scope !== undefined) context.limitedBy = credential.id;
  }
}

function demandSession({ credential, principal }: GuardedRequest): void {
  if (credential?.kind === 'session' && principal?.scope === undefined) return;
  throw new ForbiddenError(
    'AUTH_SESSION_REQUIRED',
    'This needs somebody who has logged in, not an API key or a token of limited scope.',
  );
}
