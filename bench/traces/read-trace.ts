import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { SessionRead, SessionTrace } from './sessions.js';
import { TraceBuilder, type Trace } from './trace.js';

/** Formats of recorded traces. Integers are big-endian. */
export const TRACE_FORMATS = ['text', 'int32', 'int64', 'arc', 'reads', 'ndjson'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** A trace that cannot be read; the message says why and what to do. */
export class TraceError extends Error {}

/**
 * Reads a recorded trace: `text` has one key a line, `int32` and `int64` are big-endian integers,
 * `arc` has lines `start count ignored ignored`, each for `count` consecutive keys; `reads` is what
 * `npm run bench:record` writes, and `ndjson` what `GET /v1/perf/cache/trace` gives. Files that end
 * in `.gz` are unpacked in process, those in `.xz` by the program xz, which must be on the PATH.
 */
export async function readTrace(path: string, format: TraceFormat): Promise<Trace> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new TraceError(`There is no file ${path}.`);
  const name = basename(path)
    .replace(/\.(gz|xz)$/, '')
    .replace(/\.[^.]+$/, '');
  const { content, finished } = open(path);
  const trace = await readers[format](content, name);
  await finished;
  if (trace.keys.length === 0) throw new TraceError(`${path} holds no access.`);
  return trace;
}

interface OpenTrace {
  readonly content: Readable;
  /** Rejects when what unpacks the file fails. */
  readonly finished: Promise<void>;
}

function open(path: string): OpenTrace {
  if (path.endsWith('.xz')) return openXz(path);
  const file = createReadStream(path);
  if (!path.endsWith('.gz')) return { content: file, finished: Promise.resolve() };
  const content = createGunzip();
  file.on('error', (error) => content.destroy(error)).pipe(content);
  return { content, finished: Promise.resolve() };
}

function openXz(path: string): OpenTrace {
  const child = spawn('xz', ['--decompress', '--stdout', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const finished = (async () => {
    const [code] = (await once(child, 'close').catch((error: unknown) => {
      throw new TraceError(
        `${path} needs the program xz, which could not be started; install it (Debian: xz-utils).`,
        { cause: error },
      );
    })) as [number];
    if (code !== 0) throw new TraceError(`xz could not unpack ${path}: ${complaint.trim()}`);
  })();
  // Reading ends early when xz fails; the reason is awaited after that.
  finished.catch(() => undefined);
  return { content: child.stdout, finished };
}

const readers: Readonly<Record<TraceFormat, (content: Readable, name: string) => Promise<Trace>>> =
  {
    async text(content, name) {
      const builder = new TraceBuilder<string>();
      for await (const line of linesOf(content)) builder.add(line);
      return builder.build(name);
    },
    async reads(content, name) {
      const builder = new TraceBuilder<string>();
      for await (const { key } of sessionReads(content, name)) builder.add(key);
      return builder.build(name);
    },
    async ndjson(content, name) {
      const builder = new TraceBuilder<string>();
      for await (const line of linesOf(content)) builder.add(keyOf(line, name));
      return builder.build(name);
    },
    async int32(content, name) {
      const builder = new TraceBuilder<number>();
      for await (const words of wholeWords(content, 4)) {
        for (let at = 0; at < words.length; at += 4) builder.add(words.readUInt32BE(at));
      }
      return builder.build(name);
    },
    async int64(content, name) {
      const builder = new TraceBuilder<bigint>();
      for await (const words of wholeWords(content, 8)) {
        for (let at = 0; at < words.length; at += 8) builder.add(words.readBigUInt64BE(at));
      }
      return builder.build(name);
    },
    async arc(content, name) {
      const builder = new TraceBuilder<number>();
      let number = 0;
      for await (const line of createInterface({
        input: content,
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        number += 1;
        if (line.trim() === '') continue;
        const [start, count] = line.trim().split(/\s+/, 2).map(Number);
        if (!Number.isSafeInteger(start) || !Number.isSafeInteger(count)) {
          throw new TraceError(`Line ${number} of ${name} is not "start count …".`);
        }
        for (let key = 0; key < (count as number); key += 1) builder.add((start as number) + key);
      }
      return builder.build(name);
    },
  };

/** The lines of a text that are not empty. */
async function* linesOf(content: Readable): AsyncGenerator<string> {
  const lines = createInterface({ input: content, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (line !== '') yield line;
}

/** Lines `milliseconds-since-the-last client namespace key`, all numbers; client 0 is nobody. */
async function* sessionReads(content: Readable, name: string): AsyncGenerator<SessionRead> {
  let atMs = 0;
  let number = 0;
  for await (const line of linesOf(content)) {
    number += 1;
    const [waitMs, client, namespace, key] = line.split(' ');
    if (key === undefined || !Number.isFinite(Number(waitMs))) {
      throw new TraceError(`Line ${number} of ${name} is not "milliseconds client namespace key".`);
    }
    atMs += Number(waitMs);
    yield {
      atMs,
      client: client === '0' ? undefined : client,
      namespace: namespace as string,
      key,
    };
  }
}

function keyOf(line: string, name: string): string {
  try {
    const { key } = JSON.parse(line) as { readonly key: unknown };
    if (typeof key === 'string') return key;
  } catch {
    // Said below.
  }
  throw new TraceError(`A line of ${name} is no JSON object with a "key".`);
}

/** The reads of a trace of the format `reads`, with their times and clients. */
export async function readSessionTrace(path: string): Promise<SessionTrace> {
  const name = basename(path).split('.')[0] as string;
  const { content, finished } = open(path);
  const reads: SessionRead[] = [];
  for await (const read of sessionReads(content, name)) reads.push(read);
  await finished;
  return { name, reads };
}

/** The content in pieces that hold whole words. */
async function* wholeWords(content: Readable, wordBytes: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of content as AsyncIterable<Buffer>) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % wordBytes);
    yield joined.subarray(0, whole);
    rest = joined.subarray(whole);
  }
  if (rest.length > 0) {
    throw new TraceError(
      `The trace ends within a word of ${wordBytes} bytes: is it another format?`,
    );
  }
}
