import { hash } from 'node:crypto';
import { type Compression, varyWith } from '#libs/http';
import type { CapturedAnswer } from './captured-answer.js';
import type { CachedResponse } from './cached-response.js';
import { storedBody } from './stored-body.js';

/** 128 bits of it tell two bodies apart. */
const ETAG_LENGTH = 22;
/** Proxies refuse headers that are much longer. */
const LONGEST_SURROGATE_KEY = 8_000;
/** Of tags that stand for a key, which nobody outside knows. */
const KEY_TAG = 'key:';
const PROBLEM = 'application/problem+json';
/** Of one connection or of one request, and what is told anew with each answer. */
const NOT_STORED = new Set([
  'age',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'ratelimit',
  'ratelimit-policy',
  'server-timing',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-cache',
  'x-request-id',
]);

export interface ResponseParts {
  readonly lifeMs: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly tags: readonly string[];
  readonly vary: string | undefined;
  /** Undefined for a response that no cache keeps. */
  readonly cacheControl: string | undefined;
  /** Of the request that it was made for. */
  readonly requestId: string;
  /** Undefined where answers are not compressed. */
  readonly compression: Compression | undefined;
}

/** A captured answer in the form in which it is stored. Its payload must not be a stream. */
export function makeResponse(answer: CapturedAnswer, parts: ResponseParts): CachedResponse {
  const { status, headers } = answer;
  const body = bytesOf(answer.payload);
  const isProblem = status >= 400 && contentTypeOf(answer).startsWith(PROBLEM);
  const requestIdAt = isProblem ? placeOf(parts.requestId, body) : { start: 0, length: 0 };
  const own = new Map<string, string | readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (value === undefined || NOT_STORED.has(lower)) continue;
    own.set(lower, Array.isArray(value) ? value : String(value));
  }
  const isKept = parts.cacheControl !== undefined;
  if (parts.cacheControl !== undefined && !own.has('cache-control')) {
    own.set('cache-control', parts.cacheControl);
  }
  if (isKept && status === 200) {
    if (!own.has('etag')) own.set('etag', `"${digestOf(body)}"`);
    if (!own.has('last-modified')) {
      own.set('last-modified', new Date(parts.modifiedMs).toUTCString());
    }
  }
  if (isKept && parts.vary !== undefined) own.set('vary', joined(own.get('vary'), parts.vary));
  if (isNegotiated(answer, body, parts)) {
    own.set('vary', varyWith(own.get('vary')?.toString(), 'accept-encoding'));
  }
  const surrogateKey = parts.tags
    .filter((tag) => !tag.startsWith(KEY_TAG))
    .map(encodeURI)
    .join(' ');
  if (isKept && surrogateKey !== '' && surrogateKey.length <= LONGEST_SURROGATE_KEY) {
    own.set('surrogate-key', surrogateKey);
  }
  // The id of another request may be longer.
  if (requestIdAt.length === 0 && hasBody(status)) own.set('content-length', String(body.length));
  const modified = own.get('last-modified');
  return {
    status,
    head: flatten(own),
    body: storedBody(body),
    etag: own.get('etag')?.toString(),
    modifiedMs: modified === undefined ? undefined : Date.parse(modified.toString()),
    createdMs: parts.createdMs,
    lifeMs: parts.lifeMs,
    tags: parts.tags,
    requestIdAt,
  };
}

/** Whether an answer is for the one who asked alone, or says that it must not be stored. */
export function isPersonal({ headers }: CapturedAnswer): boolean {
  if (headers['set-cookie'] !== undefined) return true;
  if (String(headers['vary'] ?? '').trim() === '*') return true;
  return /\b(?:no-store|no-cache|private)\b/i.test(String(headers['cache-control'] ?? ''));
}

/** Whether others than those who take it as it is get it compressed. */
function isNegotiated(
  answer: CapturedAnswer,
  body: Buffer,
  { compression }: ResponseParts,
): boolean {
  const { headers, status } = answer;
  return (
    status === 200 &&
    headers['content-encoding'] === undefined &&
    !/\bno-transform\b/i.test(String(headers['cache-control'] ?? '')) &&
    compression?.isNegotiated(contentTypeOf(answer), body.length) === true
  );
}

function contentTypeOf({ headers }: CapturedAnswer): string {
  return String(headers['content-type'] ?? '');
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** Memory of its own: a small buffer of the pool would keep all of the pool's block alive. */
function bytesOf(payload: unknown): Buffer {
  if (typeof payload === 'string') {
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(payload));
    bytes.write(payload);
    return bytes;
  }
  if (!Buffer.isBuffer(payload)) return Buffer.allocUnsafeSlow(0);
  const bytes = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(bytes);
  return bytes;
}

function digestOf(body: Buffer): string {
  return hash('sha256', body, 'base64url').slice(0, ETAG_LENGTH);
}

function joined(present: string | readonly string[] | undefined, more: string): string {
  const names = `${present === undefined ? '' : `${present.toString()},`}${more}`
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter((name) => name !== '').join(', ');
}

function flatten(headers: ReadonlyMap<string, string | readonly string[]>): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) {
    for (const one of typeof value === 'string' ? [value] : value) flat.push(name, one);
  }
  return flat;
}

function placeOf(requestId: string, body: Buffer): CachedResponse['requestIdAt'] {
  const marker = `"requestId":${JSON.stringify(requestId)}`;
  const at = body.indexOf(marker);
  if (at < 0) return { start: 0, length: 0 };
  return { start: at + '"requestId":"'.length, length: requestId.length };
}
