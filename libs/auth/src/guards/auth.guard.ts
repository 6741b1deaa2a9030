import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type AuthenticatedRequest, Public } from '#libs/http';
import { currentContext } from '#libs/logging';
import { Authenticator } from '../accounts/authenticator.js';

interface IncomingRequest extends AuthenticatedRequest {
  readonly headers: { readonly authorization?: string };
}

/** Demands a valid access token for every handler that is not `@Public()`. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly reflector: Reflector,
  ) {}

  /** Puts the principal on the request, and who it is into the context of the request. @throws UnauthenticatedError */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(Public, targets) !== undefined) return true;
    const request = context.switchToHttp().getRequest<IncomingRequest>();
    const { principal } = await this.authenticator.authenticate(request.headers.authorization);
    request.principal = principal;
    const current = currentContext();
    if (current !== undefined) {
      current.userId = principal.userId;
      current.organizationId = principal.organizationId;
    }
    return true;
  }
}
