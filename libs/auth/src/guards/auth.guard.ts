import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type GuardedRequest, Public, type RouteCheck, type RouteGuard } from '#libs/http';
import { currentContext } from '#libs/logging';
import { type Authentication, Authenticator } from '../accounts/authenticator.js';

/** Demands a valid access token for every handler that is not `@Public()`. */
@Injectable()
export class AuthGuard implements CanActivate, RouteGuard {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly reflector: Reflector,
  ) {}

  /**
   * Puts the principal on the request, and who it is into the context of the request.
   * @throws UnauthenticatedError
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const check = this.checkOf(context.getHandler(), context.getClass());
    await check?.(context.switchToHttp().getRequest<GuardedRequest>());
    return true;
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    if (this.reflector.getAllAndOverride(Public, targets) !== undefined) return undefined;
    return (request) => {
      const { headers, socket } = request;
      const known = this.authenticator.authenticateFromMemory(headers.authorization, socket);
      if (known === undefined) return this.authenticate(request);
      identify(request, known);
    };
  }

  private async authenticate(request: GuardedRequest): Promise<void> {
    identify(request, await this.authenticator.authenticate(request.headers.authorization));
  }
}

function identify(request: GuardedRequest, { principal, credential }: Authentication): void {
  request.principal = principal;
  request.credential = credential;
  const context = currentContext();
  if (context === undefined) return;
  context.userId = principal.userId;
  context.organizationId = principal.organizationId;
}
