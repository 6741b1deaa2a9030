import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessControl } from '#libs/core';
import {
  type GuardedRequest,
  RequirePermission,
  type RouteCheck,
  type RouteGuard,
} from '#libs/http';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';

type Params = Readonly<Record<string, string | undefined>>;

/** Demands what `@RequirePermission` of a handler, else of its controller, says. */
@Injectable()
export class PermissionGuard implements CanActivate, RouteGuard {
  constructor(
    private readonly access: AccessControl,
    private readonly reflector: Reflector,
  ) {}

  /** @throws ForbiddenError AUTH_PERMISSION_DENIED */
  canActivate(context: ExecutionContext): boolean {
    const check = this.checkOf(context.getHandler(), context.getClass());
    void check?.(context.switchToHttp().getRequest<GuardedRequest>());
    return true;
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    const required = this.reflector.getAllAndOverride(RequirePermission, targets);
    if (required === undefined) return undefined;
    const { resource: template, action } = required;
    const resourceOf = template.includes('{')
      ? (params: Params) => fillIn(template, params)
      : () => template;
    return ({ principal, params }) => {
      if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
      const resource = resourceOf((params ?? {}) as Params);
      if (this.access.isAllowed(principal, resource, action)) return;
      throw new ForbiddenError(
        'AUTH_PERMISSION_DENIED',
        `You need the permission ${action} on ${resource}.`,
      );
    };
  }
}

/**
 * Puts route parameters into a resource path. A parameter is always one segment: what would make
 * it several, or a wildcard, is percent-encoded.
 */
function fillIn(template: string, params: Params): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    (params[name] ?? '').replaceAll(/[:*%]/g, (character) =>
      character === '*' ? '%2A' : encodeURIComponent(character),
    ),
  );
}
