import { OutboundError } from './errors/outbound.error.js';
import type { OutboundRequest } from './outbound.types.js';

/** The base URL of an integration. @throws TypeError when it is none that can be called */
export function parseBaseUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`The base URL of "${name}" is not an http or https URL.`);
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new TypeError(
      `The base URL of "${name}" holds a user or a fragment: give headers instead.`,
    );
  }
  return url;
}

/**
 * The URL of a request below the base URL. Whatever a path is made of, it leads nowhere else: the host is
 * the configured one, and `..` does not climb above its path.
 *
 * @throws OutboundError OUTBOUND_URL_REFUSED
 */
export function requestUrl(
  name: string,
  base: URL,
  { path, query = {} }: Pick<OutboundRequest, 'path' | 'query'>,
): URL {
  const url = path === undefined ? new URL(base) : below(name, base, path);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  return url;
}

function below(name: string, base: URL, path: string): URL {
  const folder = new URL(base);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  folder.search = '';
  const relative = path.replace(/^\/+/, '');
  if (URL.canParse(relative, folder.href)) {
    const url = new URL(relative, folder);
    const isBelow = url.origin === folder.origin && url.pathname.startsWith(folder.pathname);
    if (isBelow && url.username === '' && url.password === '') return url;
  }
  throw new OutboundError(
    'OUTBOUND_URL_REFUSED',
    name,
    `A request of "${name}" would have left its base URL.`,
    { kind: 'internal' },
  );
}
