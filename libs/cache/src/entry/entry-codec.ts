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
const MAGIC = 0xc8;
const SERIALIZER_BITS = 0b11;
const COMPRESSED = 0b100;
const ENCRYPTED = 0b1000;
const IS_UNDEFINED = 0b1_0000;
/** Compression must save at least a tenth, or reading it back is not worth the time. */
const PAYS_BELOW = 0.9;
/** After four times. The names come first and the versions after them, so that names can be compared. */
const NAMES_FROM = 4 * 8;

/** The names in a header. */
interface NamesBlock {
  readonly names: readonly string[];
  readonly bytes: Buffer;
  /** Place of the first version. */
  readonly end: number;
}

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
  /** Of the last entry that was read: most entries of a cache have the same names. */
  private last: NamesBlock | undefined;
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
      const { names, end: namesEnd } = this.namesIn(body);
      const versions: number[] = [];
      let at = namesEnd;
      for (; versions.length < names.length; at += 8) versions.push(body.readDoubleLE(at));
      const entryOf = (value: unknown): CacheEntry => ({
        value,
        createdMs: body.readDoubleLE(0),
        expiresMs: body.readDoubleLE(8),
        staleUntilMs: body.readDoubleLE(16),
        loadMs: body.readDoubleLE(24),
        tags: names,
        versions,
      });
      if ((flags & IS_UNDEFINED) !== 0) return entryOf(undefined);
      const payload: Buffer = body.subarray(at);
      const serializer = serializerByNumber(flags & SERIALIZER_BITS);
      if (serializer === undefined) throw new Error('the serialiser of the entry is unknown');
      if ((flags & COMPRESSED) === 0) return entryOf(serializer.decode(payload));
      return decompress(payload).then(
        (whole) => entryOf(serializer.decode(whole)),
        (error: unknown) => {
          throw this.undecodable(key, error);
        },
      );
    } catch (error) {
      throw this.undecodable(key, error);
    }
  }

  /** The names in the header and where they end: those of the entry before, if the bytes are the same. */
  private namesIn(body: Buffer): NamesBlock {
    const { last } = this;
    if (last !== undefined && isAt(body, last.bytes)) return last;
    const names: string[] = [];
    let at = NAMES_FROM + 2;
    for (let left = body.readUInt16LE(NAMES_FROM); left > 0; left -= 1) {
      const length = body.readUInt16LE(at);
      if (at + 2 + length > body.length) throw new Error('the entry is cut off');
      names.push(body.toString('utf8', at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.last = { names, bytes: Buffer.from(body.subarray(NAMES_FROM, at)), end: at };
    return this.last;
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
  const header = Buffer.allocUnsafe(NAMES_FROM + 2 + tagBytes);
  header.writeDoubleLE(entry.createdMs, 0);
  header.writeDoubleLE(entry.expiresMs, 8);
  header.writeDoubleLE(entry.staleUntilMs, 16);
  header.writeDoubleLE(entry.loadMs, 24);
  let at = header.writeUInt16LE(tags.length, NAMES_FROM);
  for (const tag of tags) {
    at = header.writeUInt16LE(tag.length, at);
    at += tag.copy(header, at);
  }
  for (const [index] of tags.entries()) at = header.writeDoubleLE(entry.versions[index] ?? 0, at);
  return header;
}

function isAt(body: Buffer, bytes: Buffer): boolean {
  if (body.length < NAMES_FROM + bytes.length) return false;
  for (let index = 0; index < bytes.length; index += 1) {
    if (body[NAMES_FROM + index] !== bytes[index]) return false;
  }
  return true;
}
