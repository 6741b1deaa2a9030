import type { IncomingHttpHeaders } from 'node:http';

const ENTITY_TAG = /(?:W\/)?"([^"]*)"/g;

/**
 * Whether the client has the response already (RFC 9110, 13.1): `If-None-Match` by weak comparison;
 * `If-Modified-Since` counts only without it.
 */
export function isNotModified(
  headers: IncomingHttpHeaders,
  etag: string | undefined,
  modifiedMs: number | undefined,
): boolean {
  const wanted = headers['if-none-match'];
  if (wanted !== undefined) return etag !== undefined && names(wanted, etag);
  const since = headers['if-modified-since'];
  if (since === undefined || modifiedMs === undefined) return false;
  const sinceMs = Date.parse(since);
  return modifiedMs <= sinceMs;
}

function names(list: string, etag: string): boolean {
  if (list.trim() === '*') return true;
  const opaque = opaqueOf(etag);
  for (const [, candidate] of list.matchAll(ENTITY_TAG)) if (candidate === opaque) return true;
  return false;
}

/** What stands between the quotes, whether the tag is weak or strong. */
function opaqueOf(etag: string): string {
  return etag.slice(etag.indexOf('"') + 1, -1);
}
