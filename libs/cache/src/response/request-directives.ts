import type { IncomingHttpHeaders } from 'node:http';

/** What a request says about the use of caches (RFC 9111, 5.2.1). */
export interface RequestDirectives {
  /** Nothing of the answer may be stored, and nothing stored may be used. */
  readonly noStore: boolean;
  /** Nothing that was stored before the request may be used. */
  readonly noCache: boolean;
  /** Nothing may be loaded. */
  readonly onlyIfCached: boolean;
  /** Oldest answer that is wanted. */
  readonly maxAgeSeconds: number | undefined;
}

const NONE: RequestDirectives = {
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAgeSeconds: undefined,
};
const NO_CACHE: RequestDirectives = { ...NONE, noCache: true };

/** Undefined for a request that says nothing, which most do. */
export function directivesOf(headers: IncomingHttpHeaders): RequestDirectives | undefined {
  const header = headers['cache-control'];
  if (header === undefined) {
    // HTTP/1.0 for the same; it counts only where there is no Cache-Control.
    return headers.pragma?.toLowerCase().includes('no-cache') === true ? NO_CACHE : undefined;
  }
  let { noStore, noCache, onlyIfCached, maxAgeSeconds } = NONE;
  for (const part of header.split(',')) {
    const [name = '', value = ''] = part.trim().toLowerCase().split('=', 2);
    switch (name) {
      case 'no-store':
        noStore = true;
        break;
      case 'no-cache':
        noCache = true;
        break;
      case 'only-if-cached':
        onlyIfCached = true;
        break;
      case 'max-age': {
        const seconds = /^"?(\d+)"?$/.exec(value)?.[1];
        if (seconds !== undefined) maxAgeSeconds = Number(seconds);
        break;
      }
      default:
    }
  }
  if (maxAgeSeconds === 0) noCache = true;
  return { noStore, noCache, onlyIfCached, maxAgeSeconds };
}
