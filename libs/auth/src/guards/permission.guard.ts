import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessControl } from '#libs/core';
import { RequirePermission, type RouteCheck, RouteChecks, type RouteGuard } from '#libs/http';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';

type Params = Readonly<Record<string, string | undefined>>;

/** Demands what `@RequirePermission` of a handler, else of its controller, says. */
@Injectable()
export class PermissionGuard implements CanActivate, RouteGuard {
  private readonly checks = new RouteChecks((handler, controller) => {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    const required = this.reflector.getAllAndOverride(RequirePermission, targets);
    if (required === undefined) return undefined;
    const { resource, action } = required;
    return resource.includes('{')
      ? this.checkOfTemplate(new ResourceTemplate(resource), action)
      : this.checkOfResource(resource, action);
  });

  constructor(
    private readonly access: AccessControl,
    private readonly reflector: Reflector,
  ) {}

  /** @throws ForbiddenError AUTH_PERMISSION_DENIED */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.checks.ask(context);
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    return this.checks.of(handler, controller);
  }

  private checkOfResource(resource: string, action: string): RouteCheck {
    const isAllowed = this.access.questionOf(resource, action);
    return ({ principal }) => {
      if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
      if (!isAllowed(principal)) throw denied(resource, action);
    };
  }

  private checkOfTemplate(template: ResourceTemplate, action: string): RouteCheck {
    return ({ principal, params }) => {
      if (principal === undefined) throw new UnauthenticatedError('AUTH_TOKEN_MISSING');
      const resource = template.fillIn((params ?? {}) as Params);
      if (!this.access.isAllowed(principal, resource, action)) throw denied(resource, action);
    };
  }
}

function denied(resource: string, action: string): ForbiddenError {
  return new ForbiddenError(
    'AUTH_PERMISSION_DENIED',
    `You need the permission ${action} on ${resource}.`,
  );
}

/** A resource path with places for parameters of the route, such as `source:{id}`. */
class ResourceTemplate {
  /** Between the names: the first comes before the first name, the last after the last. */
  private readonly texts: readonly string[];
  private readonly names: readonly string[];

  constructor(template: string) {
    const parts = template.split(/\{(\w+)\}/);
    this.texts = parts.filter((_, index) => index % 2 === 0);
    this.names = parts.filter((_, index) => index % 2 === 1);
  }

  /**
   * A parameter is always one segment: what would make it several, or a wildcard, is
   * percent-encoded.
   */
  fillIn(params: Params): string {
    let path = this.texts[0] ?? '';
    for (let at = 0; at < this.names.length; at += 1) {
      const value = params[this.names[at] ?? ''] ?? '';
      path += (RESERVED.test(value) ? encoded(value) : value) + (this.texts[at + 1] ?? '');
    }
    return path;
  }
}

const RESERVED = /[:*%]/;

function encoded(value: string): string {
  return value.replaceAll(/[:*%]/g, (character) =>
    character === '*' ? '%2A' : encodeURIComponent(character),
  );
}
