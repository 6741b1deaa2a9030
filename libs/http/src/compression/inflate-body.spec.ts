import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { inflateBody } from './inflate-body.js';

const LIMITS = { maxBytes: 10_000, maxRatio: 50, ratioFromBytes: 1_000 };
const TEXT = Buffer.from('{"text":"a body"}');

const inflate = (bytes: Buffer, encoding: string, limits = LIMITS) =>
  inflateBody(Readable.from([bytes], { objectMode: false }), encoding, limits);

describe('a decoded body', () => {
  it.each([
    ['gzip', gzipSync],
    ['X-Gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('of %s is what was encoded, and knows how much of it came', async (encoding, pack) => {
    const packed = pack(TEXT);
    const body = inflate(packed, encoding);
    expect(await buffer(body)).toEqual(TEXT);
    expect(body.receivedEncodedLength).toBe(packed.length);
  });

  it('is refused beyond its bytes, and when it is denser than anything honest', async () => {
    const random = Buffer.from(Array.from({ length: 4_000 }, Math.random).join());
    await expect(buffer(inflate(gzipSync(random), 'gzip'))).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      kind: 'too-large',
    });
    await expect(buffer(inflate(gzipSync(Buffer.alloc(9_000)), 'gzip'))).rejects.toMatchObject({
      code: 'BODY_INFLATES_TOO_FAR',
      kind: 'too-large',
    });
    expect(await buffer(inflate(gzipSync(Buffer.alloc(900)), 'gzip'))).toHaveLength(900);
  });

  it('is told apart from a client that has left', async () => {
    await expect(buffer(inflate(TEXT, 'gzip'))).rejects.toMatchObject({
      code: 'BODY_ENCODING_INVALID',
    });
    const source = new PassThrough();
    const body = inflateBody(source, 'gzip', LIMITS);
    source.write(gzipSync(TEXT).subarray(0, 12));
    source.destroy(new Error('aborted'));
    await expect(buffer(body)).rejects.toMatchObject({ message: 'aborted' });
  });

  it('that was given up is read to its end, so that the client hears why', async () => {
    const source = new PassThrough({ highWaterMark: 16 });
    const body = inflateBody(source, 'gzip', LIMITS);
    source.write(TEXT);
    await expect(buffer(body)).rejects.toMatchObject({ code: 'BODY_ENCODING_INVALID' });
    source.end(Buffer.alloc(100_000));
    while (!source.readableEnded) await turn();
    expect(source.destroyed).toBe(true);
  });

  it('of a coding that nobody knows is refused at once', () => {
    for (const encoding of ['zstd', 'gzip, gzip', '']) {
      expect(() => inflate(TEXT, encoding)).toThrow(
        expect.objectContaining({ code: 'BODY_ENCODING_UNSUPPORTED' }),
      );
    }
  });
});
