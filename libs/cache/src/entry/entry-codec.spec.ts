import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { CacheDecodeError, CacheEncodeError } from '../errors/cache-codec.error.js';
import type { CacheEntry } from './cache-entry.js';
import { EntryCodec } from './entry-codec.js';

const oldKey = { id: '2025', key: randomBytes(32) };
const newKey = { id: '2026', key: randomBytes(32) };

function entryOf(value: unknown): CacheEntry {
  const times = { createdMs: 1_790_000_000_000.25, expiresMs: 1_790_000_060_000 };
  return {
    value,
    ...times,
    staleUntilMs: 1_790_000_090_000,
    loadMs: 3,
    tags: ['*', 'é'],
    versions: [1, 2],
  };
}

/** Decoding, which throws or rejects. */
async function decoding(codec: EntryCodec, key: string, bytes: Buffer): Promise<CacheEntry> {
  return codec.decode(key, bytes);
}

describe('EntryCodec', () => {
  it.each(['v8', 'msgpackr', 'json'] as const)(
    '%s keeps values, and undefined',
    async (serializer) => {
      const codec = new EntryCodec({ serializer });
      for (const value of [undefined, null, 0, '', false, { a: [1, { b: 'c' }] }]) {
        expect(await codec.decode('k', await codec.encode('k', entryOf(value)))).toEqual(
          entryOf(value),
        );
      }
    },
  );

  it.each(['v8', 'msgpackr'] as const)(
    '%s keeps dates, maps, sets and big integers',
    async (serializer) => {
      const codec = new EntryCodec({ serializer });
      const value = { at: new Date(5), map: new Map([[1, new Set(['x'])]]), big: 2n ** 40n };
      const read = await codec.decode('k', await codec.encode('k', entryOf(value)));
      // Objects of another realm have other constructors; what they hold is what counts.
      const { at, map, big } = read.value as typeof value;
      expect([Number(at), [...(map.get(1) ?? [])], big]).toEqual([5, ['x'], 2n ** 40n]);
    },
  );

  it('reads what another serialiser has written', async () => {
    const bytes = await new EntryCodec({ serializer: 'json' }).encode('k', entryOf({ a: 1 }));
    expect((await new EntryCodec({ serializer: 'v8' }).decode('k', bytes)).value).toEqual({ a: 1 });
  });

  it('compresses a large value only when that pays', async () => {
    const codec = new EntryCodec({ compressFromBytes: 1_000 });
    const text = await codec.encode('k', entryOf('same '.repeat(4_000)));
    expect(text.length).toBeLessThan(1_000);
    expect((await codec.decode('k', text)).value).toBe('same '.repeat(4_000));
    const noise = randomBytes(20_000);
    expect((await codec.encode('k', entryOf(noise))).length).toBeGreaterThan(20_000);
  });

  it('encrypts with the first key and decrypts with each', async () => {
    const before = new EntryCodec({ encryptionKeys: [oldKey] });
    const during = new EntryCodec({ encryptionKeys: [newKey, oldKey] });
    const after = new EntryCodec({ encryptionKeys: [newKey] });
    const old = await before.encode('k', entryOf('secret text'));
    expect(old.toString('latin1')).not.toContain('secret');
    expect((await during.decode('k', old)).value).toBe('secret text');
    const renewed = await during.encode('k', entryOf('secret text'));
    expect((await after.decode('k', renewed)).value).toBe('secret text');
    await expect(decoding(after, 'k', old)).rejects.toThrow('no encryption key has the id "2025"');
  });

  it('refuses an encrypted entry under another key, changed, or not encrypted at all', async () => {
    const codec = new EntryCodec({ encryptionKeys: [newKey] });
    const bytes = await codec.encode('a', entryOf(1));
    await expect(decoding(codec, 'b', bytes)).rejects.toThrow(CacheDecodeError);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await expect(decoding(codec, 'a', bytes)).rejects.toThrow(CacheDecodeError);
    const open = await new EntryCodec().encode('a', entryOf(1));
    await expect(decoding(codec, 'a', open)).rejects.toThrow('not encrypted');
  });

  it('refuses cut-off, foreign and random bytes with its own error', async () => {
    const codec = new EntryCodec();
    const bytes = await codec.encode('k', entryOf({ a: 'b' }));
    const inputs: Buffer[] = [Buffer.alloc(0), Buffer.from('{"value":1}'), randomBytes(64)];
    for (let end = 1; end < bytes.length; end += 1) inputs.push(bytes.subarray(0, end));
    for (const input of inputs) {
      await expect(decoding(codec, 'k', input)).rejects.toThrow(CacheDecodeError);
    }
  });

  it('says of which key a value cannot be written', () => {
    const encode = (): unknown =>
      new EntryCodec({ serializer: 'v8' }).encode(
        'orders:1',
        entryOf(() => 1),
      );
    expect(encode).toThrow(CacheEncodeError);
    expect(encode).toThrow('"orders:1"');
  });

  it('refuses keys of a wrong length', () => {
    expect(() => new EntryCodec({ encryptionKeys: [{ id: 'k', key: randomBytes(16) }] })).toThrow(
      '32 bytes',
    );
    expect(() => new EntryCodec({ encryptionKeys: [] })).toThrow('without a key');
  });
});

describe('the counts of an EntryCodec', () => {
  it('tell the bytes before and after, and what could not be read', async () => {
    const codec = new EntryCodec({ encryptionKeys: [newKey], compressFromBytes: 1_000 });
    const text = await codec.encode('k', entryOf('lorem ipsum '.repeat(1_000)));
    const small = await codec.encode('k', entryOf(7));
    expect(codec.counts).toEqual({
      encoded: 2,
      compressed: 1,
      rawBytes: 12_003 + 1,
      storedBytes: text.length + small.length,
      decoded: 0,
      undecodable: 0,
    });
    await codec.decode('k', text);
    await expect(decoding(codec, 'another key', small)).rejects.toThrow(CacheDecodeError);
    const tampered = Buffer.from(text);
    tampered.writeUInt8(tampered.readUInt8(60) ^ 1, 60);
    await expect(decoding(codec, 'k', tampered)).rejects.toThrow(CacheDecodeError);
    expect(codec.counts).toMatchObject({ decoded: 1, undecodable: 2 });
  });

  it('are kept apart for each level that shares the settings', async () => {
    const codec = new EntryCodec();
    await codec.counting().encode('k', entryOf(1));
    expect(codec.counts.encoded).toBe(0);
  });
});
