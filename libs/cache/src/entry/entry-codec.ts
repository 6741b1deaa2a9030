import { promisify, types } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { messageOf } from '#libs/core';
import { CacheDecodeError, CacheEncodeError } from '../errors/cache-codec.error.js';
import type { CacheEntry } from './cache-entry.js';
import type { CodecCounts } from './codec-counts.js';
import { type EncryptionKey, EntryCipher } from './entry-cipher.js';
import {
  serializerByNumber,
  type SerializerName,
  serializerNumber,
  serializerOf,
} from './serializer.js';

const compress = promisify(deflateRaw) as (
  bytes: Buffer,
  options: { level: number },
) => Promise<Buffer>;
const decompress = promisify(inflateRaw) as (bytes: Buffer) => Promise<Buffer>;

/** First byte of every entry; another one means another format. */
const MAGIC = 0xc7;
const SERIALIZER_BITS = 0b11;
const COMPRESSED = 0b100;
const ENCRYPTED = 0b1000;
const IS_UNDEFINED = 0b1_0000;
/** Compression must save at least a tenth, or reading it back is not worth the time. */
const PAYS_BELOW = 0.9;
const FIXED_HEADER_BYTES = 4 * 8 + 2;

export interface EntryCodecOptions {
  /** Default `msgpackr`: a small object takes a fifth of the time of `v8`. */
  readonly serializer?: SerializerName;
  /** Values of at least so many bytes are compressed when that pays. Default 2048. */
  readonly compressFromBytes?: number;
  /** The first encrypts, all decrypt. Without any, entries are not encrypted. */
  readonly encryptionKeys?: readonly EncryptionKey[];
}

/**
 * Writes entries for levels outside the process: two bytes that say how, then, encrypted if asked
 * for, the times, tags and versions, and the value. Reads whatever any of its settings has written.
 */
export class EntryCodec {
  private readonly serializer: SerializerName;
  private readonly compressFromBytes: number;
  private readonly cipher: EntryCipher | undefined;
  private readonly tally = {
    encoded: 0,
    compressed: 0,
    rawBytes: 0,
    storedBytes: 0,
    decoded: 0,
    undecodable: 0,
  };

  constructor(private readonly options: EntryCodecOptions = {}) {
    this.serializer = options.serializer ?? 'msgpackr';
    this.compressFromBytes = options.compressFromBytes ?? 2048;
    this.cipher =
      options.encryptionKeys === undefined ? undefined : new EntryCipher(options.encryptionKeys);
  }

  /** A codec that does the same and counts for itself, so that levels can share their settings. */
  counting(): EntryCodec {
    return new EntryCodec(this.options);
  }

  get counts(): CodecCounts {
    return { ...this.tally };
  }

  /**
   * Takes a promise only to compress. Throws `CacheEncodeError` for a value that the serialiser cannot
   * write, such as a function.
   */
  encode(key: string, entry: CacheEntry): Buffer | Promise<Buffer> {
    let flags = serializerNumber(this.serializer);
    let payload: Buffer;
    try {
      // JSON has no word for undefined.
      if (entry.value === undefined) flags |= IS_UNDEFINED;
      payload =
        entry.value === undefined
          ? Buffer.alloc(0)
          : serializerOf(this.serializer).encode(entry.value);
    } catch (error) {
      throw new CacheEncodeError(key, messageOf(error), error);
    }
    if (payload.length >= this.compressFromBytes) {
      return compress(payload, { level: 1 }).then((smaller) =>
        smaller.length < payload.length * PAYS_BELOW
          ? this.count(payload, this.seal(key, entry, smaller, flags | COMPRESSED), 1)
          : this.count(payload, this.seal(key, entry, payload, flags), 0),
      );
    }
    return this.count(payload, this.seal(key, entry, payload, flags), 0);
  }

  /** The bytes of many, in order. */
  async encodeAll(
    writes: readonly { readonly key: string; readonly entry: CacheEntry }[],
  ): Promise<Buffer[]> {
    const bytes: Buffer[] = [];
    // One after the other: only what is compressed has to be waited for.
    for (const { key, entry } of writes) {
      const encoded = this.encode(key, entry);
      bytes.push(types.isPromise(encoded) ? await encoded : encoded);
    }
    return bytes;
  }

  private count(raw: Buffer, stored: Buffer, compressed: number): Buffer {
    const { tally } = this;
    tally.encoded += 1;
    tally.compressed += compressed;
    tally.rawBytes += raw.length;
    tally.storedBytes += stored.length;
    return stored;
  }

  private seal(key: string, entry: CacheEntry, payload: Buffer, flags: number): Buffer {
    const body = Buffer.concat([encodeHeader(entry), payload]);
    if (this.cipher === undefined) return Buffer.concat([Buffer.of(MAGIC, flags), body]);
    const sealed = this.cipher.encrypt(body, key);
    return Buffer.concat([Buffer.of(MAGIC, flags | ENCRYPTED), sealed]);
  }

  /** Throws, or rejects with, `CacheDecodeError` for bytes that this codec cannot have written for `key`. */
  decode(key: string, bytes: Buffer): CacheEntry | Promise<CacheEntry> {
    try {
      this.tally.decoded += 1;
      if (bytes[0] !== MAGIC) throw new Error('the bytes are not an entry of this version');
      const flags = bytes[1] ?? 0;
      let body: Buffer = bytes.subarray(2);
      if ((flags & ENCRYPTED) !== 0) {
        if (this.cipher === undefined)
          throw new Error('the entry is encrypted, and there is no key');
        body = this.cipher.decrypt(body, key);
      } else if (this.cipher !== undefined) {
        throw new Error('the entry is not encrypted');
      }
      const { header, end } = decodeHeader(body);
      const payload: Buffer = body.subarray(end);
      if ((flags & IS_UNDEFINED) !== 0) return { value: undefined, ...header };
      const serializer = serializerByNumber(flags & SERIALIZER_BITS);
      if (serializer === undefined) throw new Error('the serialiser of the entry is unknown');
      if ((flags & COMPRESSED) === 0) return { value: serializer.decode(payload), ...header };
      return decompress(payload).then(
        (whole) => ({ value: serializer.decode(whole), ...header }),
        (error: unknown) => {
          throw this.undecodable(key, error);
        },
      );
    } catch (error) {
      throw this.undecodable(key, error);
    }
  }

  private undecodable(key: string, error: unknown): CacheDecodeError {
    this.tally.decoded -= 1;
    this.tally.undecodable += 1;
    return new CacheDecodeError(key, messageOf(error), error);
  }
}

function encodeHeader(entry: CacheEntry): Buffer {
  const tags = entry.tags.map((tag) => Buffer.from(tag));
  const tagBytes = tags.reduce((sum, tag) => sum + 2 + tag.length + 8, 0);
  const header = Buffer.allocUnsafe(FIXED_HEADER_BYTES + tagBytes);
  let at = 0;
  for (const time of [entry.createdMs, entry.expiresMs, entry.staleUntilMs, entry.loadMs]) {
    at = header.writeDoubleLE(time, at);
  }
  at = header.writeUInt16LE(tags.length, at);
  for (const [index, tag] of tags.entries()) {
    at = header.writeUInt16LE(tag.length, at);
    at += tag.copy(header, at);
    at = header.writeDoubleLE(entry.versions[index] ?? 0, at);
  }
  return header;
}

function decodeHeader(body: Buffer): { header: Omit<CacheEntry, 'value'>; end: number } {
  const [createdMs, expiresMs, staleUntilMs, loadMs] = [0, 8, 16, 24].map((at) =>
    body.readDoubleLE(at),
  ) as [number, number, number, number];
  const tags: string[] = [];
  const versions: number[] = [];
  let at = FIXED_HEADER_BYTES;
  for (let left = body.readUInt16LE(32); left > 0; left -= 1) {
    const length = body.readUInt16LE(at);
    if (at + 2 + length + 8 > body.length) throw new Error('the entry is cut off');
    tags.push(body.toString('utf8', at + 2, at + 2 + length));
    versions.push(body.readDoubleLE(at + 2 + length));
    at += 2 + length + 8;
  }
  return { header: { createdMs, expiresMs, staleUntilMs, loadMs, tags, versions }, end: at };
}
