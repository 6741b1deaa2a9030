import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessControl } from '#libs/core';
import { type AuthenticatedRequest, RequirePermission } from '#libs/http';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';

interface RoutedRequest extends AuthenticatedRequest {
  readonly params?: Readonly<Record<string, string | undefined>>;
}

/** Demands what `@RequirePermission` of a handler, else of its controller, says. */
@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(
    private readonly access: AccessControl,
    private readonly reflector: Reflector,
  ) {}

  /** @throws ForbiddenError AUTH_PERMISSION_DENIED */
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const required = this.reflector.getAllAndOverride(RequirePermission, targets);
    if (required === undefined) return true;
    const { principal, params = {} } = context.switchToHttp().getRequest<RoutedRequest>();
    if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
    const resource = fillIn(required.resource, params);
    if (this.access.isAllowed(principal, resource, required.action)) return true;
    throw new ForbiddenError(
      'AUTH_PERMISSION_DENIED',
      `You need the permission ${required.action} on ${resource}.`,
    );
  }
}

/**
 * Puts route parameters into a resource path. A parameter is always one segment: what would make
 * it several, or a wildcard, is percent-encoded.
 */
function fillIn(template: string, params: Readonly<Record<string, string | undefined>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    (params[name] ?? '').replaceAll(/[:*%]/g, (character) =>
      character === '*' ? '%2A' : encodeURIComponent(character),
    ),
  );
}
