import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CachedResponse } from './cached-response.js';
import { ownHeadersOf } from '#libs/http';
import { canExtendHead, endWith } from './raw-head.js';
import { writeResponse } from './write-response.js';

const REQUEST_ID = 'x-request-id';
const LIMIT = 'ratelimit';
const LIMIT_POLICY = 'ratelimit-policy';
const UNSAFE = /[^\x20-\x7e]/;
const SAFE_ID = /^[\w.-]{1,128}$/;

/** The lines of a stored response together with those that hooks give to every reply. */
interface Lines {
  /** Of the `Common` that they were made with. */
  readonly common: Common;
  readonly text: string;
  readonly contentLength: readonly string[];
}

/** Headers that the replies of late had in common, in their order. */
interface Common {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * Answers hits. Nearly all of a head is the same from one hit to the next: what is stored, and what
 * hooks set on every reply. The first answer goes out as any other, and so is checked by Node; the
 * next ones get its lines as one text. Whenever something differs, be it a header, a condition of
 * the request or a method, `writeResponse` does it.
 */
export class ResponseWriter {
  private common: Common = { names: [], values: [] };
  private readonly lines = new WeakMap<CachedResponse, Lines>();

  writeHit(
    request: FastifyRequest,
    reply: FastifyReply,
    response: CachedResponse,
    nowMs: number,
  ): void {
    if (!this.writeKnown(request, reply, response, nowMs)) {
      writeResponse(request, reply, response, 'L1', nowMs);
    }
  }

  private writeKnown(
    request: FastifyRequest,
    reply: FastifyReply,
    response: CachedResponse,
    nowMs: number,
  ): boolean {
    const { headers } = request;
    const { body } = response;
    const { raw } = reply;
    if (
      request.method !== 'GET' ||
      response.status !== 200 ||
      typeof body !== 'string' ||
      headers['if-none-match'] !== undefined ||
      headers['if-modified-since'] !== undefined ||
      raw.headersSent ||
      raw.strictContentLength
    ) {
      return false;
    }
    const own = ownHeadersOf(reply);
    const id = own[REQUEST_ID];
    if (typeof id !== 'string' || !SAFE_ID.test(id)) return false;
    const limit = limitLinesOf(own);
    if (limit === undefined) return false;
    const known = this.lines.get(response);
    if (known === undefined || known.common !== this.common || !this.isCommon(own)) {
      this.learn(response, own, raw.getHeaderNames().length > 0);
      return false;
    }
    reply.hijack();
    const age = Math.max(0, Math.floor((nowMs - response.createdMs) / 1000));
    raw.writeHead(200, known.contentLength as string[]);
    endWith(raw, `${known.text}${REQUEST_ID}: ${id}\r\nage: ${age}\r\n${limit}`, body);
    // For whoever asks the reply afterwards, such as the access log.
    void reply.header('content-length', body.length);
    return true;
  }

  /** Whether a reply has the headers that replies have in common, and no other but its own. */
  private isCommon(own: Readonly<Record<string, unknown>>): boolean {
    const { names, values } = this.common;
    let at = 0;
    for (const name in own) {
      if (names[at] === name) {
        if (values[at] !== own[name]) return false;
        at += 1;
      } else if (!isOfRequest(name)) return false;
    }
    return at === names.length;
  }

  /** Remembers the lines of a response for the next time, if they are simple. */
  private learn(
    response: CachedResponse,
    own: Readonly<Record<string, unknown>>,
    isRaw: boolean,
  ): void {
    if (!canExtendHead || isRaw) return;
    if (!this.isCommon(own)) {
      const names = Object.keys(own).filter((name) => !isOfRequest(name));
      this.common = { names, values: names.map((name) => own[name]) };
    }
    const { names, values } = this.common;
    const isText = values.every((value) => typeof value === 'string');
    const stored = new Set(response.head.filter((_, at) => at % 2 === 0));
    const hasConflict = names.some((name) => stored.has(name));
    const contentLength = headerOf(response.head, 'content-length');
    if (!isText || hasConflict || contentLength === undefined) return;
    let text = names.map((name, at) => lineOf(name, values[at] as string)).join('');
    for (let at = 0; at < response.head.length; at += 2) {
      const name = response.head[at] as string;
      if (name !== 'content-length') text += lineOf(name, response.head[at + 1] as string);
    }
    this.lines.set(response, {
      common: this.common,
      text: `${text}x-cache: L1\r\n`,
      contentLength: ['content-length', contentLength],
    });
  }
}

/** Headers that say something else in each answer. */
function isOfRequest(name: string): boolean {
  return name === REQUEST_ID || name === LIMIT || name === LIMIT_POLICY;
}

/** What the rate limit says of itself, if anything; undefined when that is not fit to be sent. */
function limitLinesOf(own: Readonly<Record<string, unknown>>): string | undefined {
  const limit = own[LIMIT];
  const policy = own[LIMIT_POLICY];
  if (limit === undefined && policy === undefined) return '';
  if (typeof limit !== 'string' || typeof policy !== 'string') return undefined;
  if (UNSAFE.test(limit) || UNSAFE.test(policy)) return undefined;
  return `${LIMIT}: ${limit}\r\n${LIMIT_POLICY}: ${policy}\r\n`;
}

/** @throws what Node throws for a header that is none */
function lineOf(name: string, value: string): string {
  validateHeaderName(name);
  validateHeaderValue(name, value);
  return `${name}: ${value}\r\n`;
}

function headerOf(head: readonly string[], name: string): string | undefined {
  for (let at = 0; at < head.length; at += 2) if (head[at] === name) return head[at + 1];
  return undefined;
}
