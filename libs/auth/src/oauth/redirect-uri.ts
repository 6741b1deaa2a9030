const MAX_REDIRECT_URI_CHARACTERS = 1_000;
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);
/** RFC 8252, section 7.1: a domain name of one's own, turned around; so never `javascript:`. */
const PRIVATE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

/**
 * Why an address cannot be one that codes are sent to; undefined when it can. Codes go over HTTPS, or
 * do not leave the machine: to a loopback address, or an app that owns a scheme (RFC 8252).
 */
export function redirectUriFault(text: string): string | undefined {
  if (text.length > MAX_REDIRECT_URI_CHARACTERS) return 'is too long';
  if (!URL.canParse(text)) return 'must be an absolute URI';
  const url = new URL(text);
  // Browsers take backslashes for slashes, and leave out control characters.
  if (/[\\\s\p{Cc}]/u.test(text)) return 'must not contain blanks or backslashes';
  if (text.includes('#')) return 'must have no fragment';
  if (url.username !== '' || url.password !== '') return 'must have no user';
  if (text.includes('*')) return 'must have no wildcard';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname)) return undefined;
  if (PRIVATE_SCHEME.test(url.protocol)) return undefined;
  return 'must be https, http to a loopback address, or a scheme of the app such as com.example.app';
}

/** The address with parameters added to its query. */
export function withParameters(
  redirectUri: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/** What a policy of contents calls the place that an address leads to. */
export function policySourceOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return origin === 'null' ? protocol : origin;
}
