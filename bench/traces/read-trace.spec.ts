import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSessionTrace, readTrace } from './read-trace.js';

describe('reading a recorded trace', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pantheon-traces-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const words = (bytes: 4 | 8, values: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(values.length * bytes);
    for (const [index, value] of values.entries()) {
      if (bytes === 4) buffer.writeUInt32BE(value, index * 4);
      else buffer.writeBigUInt64BE(BigInt(value), index * 8);
    }
    return buffer;
  };

  it('numbers the keys of a text in the order of their first access', async () => {
    const trace = await readTrace(write('keys.txt', 'b\r\na\n\nb\n€\na'), 'text');
    expect(trace).toMatchObject({ name: 'keys', distinct: 3, phases: [{ name: '', start: 0 }] });
    expect([...trace.keys]).toEqual([0, 1, 0, 2, 1]);
  });

  it('reads big-endian integers of 32 and of 64 bits', async () => {
    const small = await readTrace(write('a.trace', words(4, [1, 256, 2 ** 32 - 1, 256])), 'int32');
    expect([...small.keys]).toEqual([0, 1, 2, 1]);
    const large = await readTrace(write('b.trace', words(8, [2 ** 40, 2 ** 41, 2 ** 40])), 'int64');
    expect([...large.keys]).toEqual([0, 1, 0]);
  });

  it('reads what the recorder and the API write', async () => {
    const path = write('api.reads.gz', gzipSync('0 1 0 1\n500 2 0 2\n20 0 1 1\n'));
    expect([...(await readTrace(path, 'reads')).keys]).toEqual([0, 1, 0]);
    expect(await readSessionTrace(path)).toEqual({
      name: 'api',
      reads: [
        { atMs: 0, client: '1', namespace: '0', key: '1' },
        { atMs: 500, client: '2', namespace: '0', key: '2' },
        { atMs: 520, client: undefined, namespace: '1', key: '1' },
      ],
    });
    const lines = '{"atMs":1,"key":"x","hit":true}\n{"atMs":2,"key":"y","hit":false}\n';
    expect([...(await readTrace(write('t.ndjson', lines), 'ndjson')).keys]).toEqual([0, 1]);
    await expect(readTrace(write('bad.ndjson', '{}\n'), 'ndjson')).rejects.toThrow('"key"');
    await expect(readTrace(write('bad.reads', '1 2\n'), 'reads')).rejects.toThrow('Line 1');
  });

  it('reads words that lie across two pieces of a file', async () => {
    const values = Array.from({ length: 50_000 }, (_, index) => index % 1_000);
    const path = write('long.trace', Buffer.concat([words(8, values)]));
    const trace = await readTrace(path, 'int64');
    expect(trace.keys).toHaveLength(50_000);
    expect(trace.distinct).toBe(1_000);
  });

  it('takes a line of an ARC trace for so many consecutive keys', async () => {
    const trace = await readTrace(write('x.lis', '100 3 0 0\n101 1 0 1\n500 2 0 2\n'), 'arc');
    expect([...trace.keys]).toEqual([0, 1, 2, 1, 3, 4]);
  });

  it('unpacks gzip', async () => {
    const trace = await readTrace(write('d.trace.gz', gzipSync(words(4, [7, 8, 7]))), 'int32');
    expect([...trace.keys]).toEqual([0, 1, 0]);
  });

  it('unpacks xz by the program, or says that it is needed', async () => {
    const plain = write('c.trace', words(4, [7, 8, 7]));
    const hasXz = spawnSync('xz', ['--keep', plain]).status === 0;
    const reading = readTrace(hasXz ? `${plain}.xz` : write('c.trace.xz', ''), 'int32');
    if (hasXz) expect([...(await reading).keys]).toEqual([0, 1, 0]);
    else await expect(reading).rejects.toThrow(/needs the program xz/);
  });

  it.each<[string, string | Buffer, 'text' | 'int32' | 'arc', RegExp]>([
    [
      'short.trace',
      Buffer.alloc(7),
      'int32',
      /ends within a word of 4 bytes: is it another format/,
    ],
    ['empty.txt', '', 'text', /holds no access/],
    ['bad.lis', '1 2 0 0\nabc\n', 'arc', /Line 2 of bad is not "start count …"/],
    [
      'broken.xz',
      'this is not xz',
      'text',
      /xz could not unpack .*broken\.xz|needs the program xz/,
    ],
  ])('says what is wrong with %s', async (name, content, format, message) => {
    await expect(readTrace(write(name, content), format)).rejects.toThrow(message);
  });

  it('fails on a damaged gzip file and on one that is not there', async () => {
    await expect(readTrace(write('broken.gz', 'no gzip'), 'text')).rejects.toThrow(
      /incorrect header/,
    );
    await expect(readTrace(join(folder, 'none'), 'text')).rejects.toThrow(/There is no file/);
  });
});
