import type { PermissionGrant } from '#libs/core';

/**
 * Scopes of OAuth 2.0 are permissions in one word: the resource path, `:`, the action. So
 * `source:notes:read` is the action `read` on `source:notes`, `source:*:read` that on every source,
 * and `*:*` everything. A scope limits a token; it gives nothing that its user does not have.
 */
const SCOPE_TOKEN = /^(?:\*|[\w.%-]+)(?::(?:\*|[\w.%-]+))*:(?:\*|[a-z][a-z0-9_-]*)$/;
const MAX_SCOPE_TOKEN_CHARACTERS = 256;
const SEPARATOR = ' ';

/** Whether a text is one scope. */
export function isScopeToken(text: string): boolean {
  return text.length <= MAX_SCOPE_TOKEN_CHARACTERS && SCOPE_TOKEN.test(text);
}

/** The scopes of a list as RFC 6749 (section 3.3) writes it, each once; undefined when it is none. */
export function parseScope(text: string): string[] | undefined {
  const tokens = text.split(SEPARATOR);
  return tokens.every(isScopeToken) ? [...new Set(tokens)] : undefined;
}

export function formatScope(tokens: readonly string[]): string {
  return tokens.join(SEPARATOR);
}

/** What a list of scopes allows. */
export function grantsOfScope(scope: string): PermissionGrant[] {
  return scope.split(SEPARATOR).map(grantOfToken);
}

export function grantOfToken(token: string): PermissionGrant {
  const end = token.lastIndexOf(':');
  return { resource: token.slice(0, end), action: token.slice(end + 1), effect: 'allow' };
}
