/** Who is asking: the outcome of authentication, carried through a request or a job. */
export interface Principal {
  readonly userId: string;
  readonly organizationId: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly grants: readonly PermissionGrant[];
  /**
   * What the credential is limited to, such as the scopes of an API key: an action needs a grant that
   * allows it here as well. Undefined: everything that `grants` allow.
   */
  readonly scope?: readonly PermissionGrant[];
}

/** By what somebody has shown who they are. */
export interface Credential {
  /** A session of a person or a service (its access token names it), or an API key. */
  readonly kind: 'session' | 'api-key';
  /** Of the session or the key, never a secret. */
  readonly id: string;
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

  /**
   * The same question, put once for a place that asks it of every caller, such as a route. There it may
   * cost less than `isAllowed`.
   */
  questionOf(resource: string, action: string): (principal: Principal) => boolean {
    return (principal) => this.isAllowed(principal, resource, action);
  }
}
