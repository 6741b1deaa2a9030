import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { PermissionGrant, Principal } from '#libs/core';
import type { VaryBy } from '../decorators/cacheable.options.js';
import { ResponseScopeError } from './errors/response-scope.error.js';

/** URLs whose key is kept, and how long they may be. */
const KEPT_URLS = 2_000;
const KEPT_URLS_OF_USER = 64;
const LONGEST_KEPT_URL = 512;
/** A longer key is replaced by its digest. */
const LONGEST_KEY = 512;

/** 128 bits. */
const RIGHTS_LENGTH = 22;

/** A request that authentication may have looked at. */
export type ScopedRequest = FastifyRequest & { readonly principal?: Principal };

/**
 * Names the response that a request asks for: the parameters of the route and the query, whatever
 * their order, and everything in `varyBy`. Parts are escaped, so that no two requests that differ
 * have one key.
 */
export class RequestKeys {
  private readonly kept = new Map<string, string>();
  private readonly scopes: readonly ((request: ScopedRequest) => string)[];
  /** Where nothing but the URL and the user is in a key: the keys of each of late. */
  private readonly keptOf: WeakMap<Principal, Map<string, string>> | undefined;

  constructor(
    private readonly handler: string,
    private readonly route: string,
    varyBy: readonly VaryBy[],
    private readonly keyOf: ((request: FastifyRequest) => string) | undefined,
  ) {
    this.scopes = varyBy.map((by) => this.scopeBy(by));
    const isByUser = keyOf === undefined && varyBy.length === 1 && varyBy[0] === 'user';
    this.keptOf = isByUser ? new WeakMap() : undefined;
  }

  of(request: ScopedRequest): string {
    const { keptOf } = this;
    if (keptOf === undefined || request.url.length > LONGEST_KEPT_URL) return this.make(request);
    const principal = this.principalOf(request);
    let kept = keptOf.get(principal);
    if (kept === undefined) {
      kept = new Map();
      keptOf.set(principal, kept);
    }
    let key = kept.get(request.url);
    if (key === undefined) {
      key = this.make(request);
      if (kept.size >= KEPT_URLS_OF_USER) kept.clear();
      kept.set(request.url, key);
    }
    return key;
  }

  private make(request: ScopedRequest): string {
    let key = this.keyOf === undefined ? this.target(request) : this.ownKey(request, this.keyOf);
    for (const scope of this.scopes) key += scope(request);
    if (key.length <= LONGEST_KEY) return key;
    return `${this.route}#${hash('sha256', key, 'base64url')}`;
  }

  private target(request: FastifyRequest): string {
    const { url } = request;
    let target = this.kept.get(url);
    if (target === undefined) {
      target = this.route + canonicalParams(request.params) + canonicalQuery(request.query);
      if (url.length <= LONGEST_KEPT_URL) {
        if (this.kept.size >= KEPT_URLS) this.kept.clear();
        this.kept.set(url, target);
      }
    }
    return target;
  }

  private ownKey(request: FastifyRequest, keyOf: (request: FastifyRequest) => string): string {
    return `${this.route} ${encodeURIComponent(keyOf(request))}`;
  }

  private scopeBy(by: VaryBy): (request: ScopedRequest) => string {
    if (by === 'user') return (request) => ` u=${identityOf(this.principalOf(request))}`;
    if (by === 'tenant') {
      return (request) => ` t=${encodeURIComponent(this.principalOf(request).organizationId)}`;
    }
    const name = by.slice('header:'.length).toLowerCase();
    const prefix = ` h=${encodeURIComponent(name)}`;
    return ({ headers }) => {
      const value = headers[name];
      return value === undefined ? prefix : `${prefix}=${encodeURIComponent(String(value))}`;
    };
  }

  private principalOf({ principal }: ScopedRequest): Principal {
    if (principal === undefined) throw new ResponseScopeError(this.handler);
    return principal;
  }
}

const identities = new WeakMap<Principal, string>();

/**
 * A user together with what the user may do, so that an answer that was made under other grants is
 * never found again, however they were changed. Worked out once for as long as the principal is kept.
 */
function identityOf(principal: Principal): string {
  let identity = identities.get(principal);
  if (identity === undefined) {
    const { userId, organizationId, roles, grants, scope } = principal;
    const rights = JSON.stringify([organizationId, roles, listOf(grants), scope && listOf(scope)]);
    identity = `${encodeURIComponent(userId)}~${hash('sha256', rights, 'base64url').slice(0, RIGHTS_LENGTH)}`;
    identities.set(principal, identity);
  }
  return identity;
}

function listOf(grants: readonly PermissionGrant[]): string[][] {
  return grants.map(({ resource, action, effect }) => [resource, action, effect]);
}

function canonicalParams(params: unknown): string {
  let text = '';
  for (const [name, value] of Object.entries((params ?? {}) as Record<string, unknown>)) {
    text += ` ${name}=${encodeURIComponent(String(value))}`;
  }
  return text;
}

function canonicalQuery(query: unknown): string {
  const entries = Object.entries((query ?? {}) as Record<string, string | readonly string[]>);
  if (entries.length === 0) return '';
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  const pairs = entries.map(([name, value]) => {
    // The order of the values of one name is the caller's, and a list of one is not a text.
    if (!Array.isArray(value))
      return `${encodeURIComponent(name)}=${encodeURIComponent(value as string)}`;
    const values = (value as readonly string[]).map((one) => `=${encodeURIComponent(one)}`);
    return `${encodeURIComponent(name)}[]${values.join('')}`;
  });
  return `?${pairs.join('&')}`;
}
