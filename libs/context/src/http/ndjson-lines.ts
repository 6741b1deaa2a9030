import type { Readable } from 'node:stream';
import { isUtf8 } from 'node:buffer';
import { messageOf, PantheonError } from '#libs/core';
import type { BulkLine } from '../services/views.js';

const NEWLINE = 0x0a;

export interface NdjsonLimits {
  /** Longest line. A longer one is rejected by itself; the rest is read on. */
  readonly maxLineBytes: number;
  /** Largest body. */
  readonly maxBytes: number;
  /** Whether lines that were taken stay stored when a later one ends the write; for the message. */
  readonly keepsEarlierLines: boolean;
}

/**
 * The lines of a body of newline-delimited JSON, numbered from 1, read only as fast as they are
 * taken: at most one line and one chunk of the socket are in memory. Empty lines are passed over.
 * @throws PantheonError when the whole is larger than allowed, or ends early
 */
export async function* ndjsonLines(
  body: Readable,
  { maxLineBytes, maxBytes, keepsEarlierLines }: NdjsonLimits,
): AsyncGenerator<BulkLine> {
  const line = new LineBuffer(maxLineBytes);
  let number = 0;
  let bytes = 0;
  const stored = (): string => whatIsStored(keepsEarlierLines ? number : 0);
  for await (const chunk of chunksOf(body, stored)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw bodyTooLarge(maxBytes, stored());
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      line.append(chunk.subarray(start, end));
      start = end + 1;
      number += 1;
      const read = line.take(number);
      if (read !== undefined) yield read;
    }
    line.append(chunk.subarray(start));
  }
  const last = line.take(number + 1);
  if (last !== undefined) yield last;
}

/**
 * Leaves the stream open when its reader stops early: a request that is destroyed takes its
 * connection along, and the answer that says why would never arrive.
 */
async function* chunksOf(body: Readable, stored: () => string): AsyncGenerator<Buffer> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    // The body was not broken off but refused, as one that inflates too far.
    if (cause instanceof PantheonError) {
      const { code, kind } = cause;
      throw new PantheonError(code, `${cause.message} ${stored()}`, { kind, cause });
    }
    const message = `The body broke off (${messageOf(cause)}). ${stored()}`;
    throw new PantheonError('BULK_BODY_INCOMPLETE', message, { kind: 'invalid', cause });
  }
}

/** Says that a body is larger than allowed. */
export function bodyTooLarge(maxBytes: number, stored = whatIsStored(0)): PantheonError {
  return new PantheonError(
    'BULK_BODY_TOO_LARGE',
    `The body is larger than ${maxBytes} bytes (context.bulkMaxBytes); send it in parts. ${stored}`,
    { kind: 'too-large' },
  );
}

function whatIsStored(lastLine: number): string {
  return lastLine === 0
    ? 'Nothing was stored.'
    : `Good lines up to number ${lastLine} may be stored, and none after it.`;
}

/** Gathers the pieces of one line, and nothing of it once it is too long. */
class LineBuffer {
  private pieces: Buffer[] = [];
  private length = 0;

  constructor(private readonly maxBytes: number) {}

  append(piece: Buffer): void {
    if (piece.length === 0) return;
    this.length += piece.length;
    if (this.length > this.maxBytes) this.pieces = [];
    else this.pieces.push(piece);
  }

  /** The line so far, as what it is; undefined when it is empty. Starts the next one. */
  take(number: number): BulkLine | undefined {
    const { pieces, length } = this;
    this.pieces = [];
    this.length = 0;
    if (length > this.maxBytes) {
      return fault(number, 'LINE_TOO_LONG', `Longer than ${this.maxBytes} bytes`);
    }
    const [first = Buffer.alloc(0)] = pieces;
    const bytes = pieces.length > 1 ? Buffer.concat(pieces, length) : first;
    if (!isUtf8(bytes)) return fault(number, 'LINE_NOT_UTF8', 'Not UTF-8');
    const text = bytes.toString('utf8').trim();
    if (text === '') return undefined;
    try {
      return { line: number, entry: JSON.parse(text) as unknown };
    } catch {
      return fault(number, 'LINE_NOT_JSON', 'Not JSON');
    }
  }
}

function fault(line: number, code: string, detail: string): BulkLine {
  return { line, fault: { code, detail } };
}
