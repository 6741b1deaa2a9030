import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { BulkLine } from '../services/views.js';
import { ndjsonLines } from './ndjson-lines.js';

const limits = { maxLineBytes: 64, maxBytes: 10_000, keepsEarlierLines: true };

async function read(chunks: readonly (string | Buffer)[], given = limits): Promise<BulkLine[]> {
  const lines: BulkLine[] = [];
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk as string)));
  for await (const line of ndjsonLines(body, given)) lines.push(line);
  return lines;
}

describe('ndjsonLines', () => {
  it('numbers lines from 1 and passes over empty ones', async () => {
    expect(await read(['{"a":1}\n\n  \r\n{"a":2}\r\n3'])).toEqual([
      { line: 1, entry: { a: 1 } },
      { line: 4, entry: { a: 2 } },
      { line: 5, entry: 3 },
    ]);
  });

  it('gives the same lines wherever the body is cut into chunks', async () => {
    const text = '{"text":"näher ✓"}\nnot json\n{"text":"🙂"}\n';
    const whole = await read([text]);
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(await read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
    expect(await read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
    expect(whole.map(({ line }) => line)).toEqual([1, 2, 3]);
  });

  it('rejects a line that is too long, no JSON or no UTF-8, and reads on', async () => {
    const long = JSON.stringify({ text: 'x'.repeat(100) });
    const bad = Buffer.concat([Buffer.from('"'), Buffer.from([0xff, 0xfe]), Buffer.from('"\n')]);
    expect(await read([`${long}\n`, '{"a":\n', bad, '{"a":1}\n'])).toEqual([
      { line: 1, fault: expect.objectContaining({ code: 'LINE_TOO_LONG' }) },
      { line: 2, fault: expect.objectContaining({ code: 'LINE_NOT_JSON' }) },
      { line: 3, fault: expect.objectContaining({ code: 'LINE_NOT_UTF8' }) },
      { line: 4, entry: { a: 1 } },
    ]);
  });

  it('accepts a line of exactly the limit', async () => {
    const line = JSON.stringify('x'.repeat(62));
    expect(await read([`${line}\n`])).toEqual([{ line: 1, entry: 'x'.repeat(62) }]);
    expect(await read([`${line} \n`])).toEqual([
      { line: 1, fault: expect.objectContaining({ code: 'LINE_TOO_LONG' }) },
    ]);
  });

  it('refuses a body beyond the total limit', async () => {
    await expect(read(['1\n2\n', '3\n'], { ...limits, maxBytes: 5 })).rejects.toMatchObject({
      code: 'BULK_BODY_TOO_LARGE',
      kind: 'too-large',
      message: expect.stringContaining('up to number 2 may be stored'),
    });
    const allOrNothing = { ...limits, maxBytes: 5, keepsEarlierLines: false };
    await expect(read(['1\n2\n', '3\n'], allOrNothing)).rejects.toMatchObject({
      message: expect.stringContaining('Nothing was stored.'),
    });
  });

  it('says so when the body breaks off', async () => {
    const body = new Readable({ read: () => undefined });
    body.push('1\n2');
    const lines = ndjsonLines(body, limits);
    expect(await lines.next()).toEqual({ done: false, value: { line: 1, entry: 1 } });
    body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    await expect(lines.next()).rejects.toMatchObject({
      code: 'BULK_BODY_INCOMPLETE',
      kind: 'invalid',
    });
  });

  it('takes no more from the body than its reader asks for, and leaves it open', async () => {
    let produced = 0;
    const body = new Readable({
      highWaterMark: 100,
      read() {
        produced += 1;
        this.push(Buffer.from(`${produced}\n`.padStart(50, ' ')));
      },
    });
    for await (const { line } of ndjsonLines(body, { ...limits, maxBytes: 1e9 })) {
      if (line === 10) break;
    }
    expect(produced).toBeLessThan(20);
    expect(body.destroyed).toBe(false);
  });
});
