/** Who is asking: the outcome of authentication, carried through a request or a job. */
export interface Principal {
  readonly userId: string;
  readonly organizationId: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly grants: readonly PermissionGrant[];
}

/**
 * A permission or its denial. `resource` is a path of segments joined by `:` (`source:notes`),
 * in which `*` stands for one segment, and for all that follow when it is the last.
 */
export interface PermissionGrant {
  readonly resource: string;
  /** A verb such as `read`, or `*` for every verb. */
  readonly action: string;
  readonly effect: 'allow' | 'deny';
}

/** Decides what a principal may do. Nothing is allowed unless a grant says so; a denial wins. */
export abstract class AccessControl {
  /** Whether `principal` may do `action` on `resource`, a path without wildcards. */
  abstract isAllowed(principal: Principal, resource: string, action: string): boolean;
}
