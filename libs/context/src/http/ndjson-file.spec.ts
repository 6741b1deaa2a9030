import { describe, expect, it } from '@jest/globals';
import { contextWarnings } from '../events.js';
import { ndjsonFile } from './ndjson-file.js';

async function* count(to: number, seen: { last: number; ended: boolean }) {
  try {
    for (let n = 1; n <= to; n += 1) {
      seen.last = n;
      yield await Promise.resolve({ n });
    }
  } finally {
    seen.ended = true;
  }
}

describe('ndjsonFile', () => {
  it('writes one JSON value a line', async () => {
    const seen = { last: 0, ended: false };
    const file = await ndjsonFile(() => count(3, seen));
    let text = '';
    for await (const chunk of file.getStream()) text += String(chunk);
    expect(text).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
    expect(file.getHeaders().type).toBe('application/x-ndjson');
  });

  it('reads no further than its reader has room for, and ends the source with the reader', async () => {
    const seen = { last: 0, ended: false };
    const file = await ndjsonFile(() => count(10_000_000, seen));
    const stream = file.getStream();
    await new Promise((resolve) => stream.once('readable', resolve));
    expect(String(stream.read())).toContain('{"n":1}');
    await new Promise((resolve) => stream.destroy().once('close', resolve));
    expect(seen.ended).toBe(true);
    expect(seen.last).toBeLessThan(50_000);
  });

  it('aborts a read under way when the reader goes away', async () => {
    let ended = false;
    const file = await ndjsonFile((signal) =>
      (async function* rows() {
        try {
          yield { n: 1 };
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(new Error('cancelled'))),
          );
        } finally {
          ended = true;
        }
      })(),
    );
    const stream = file.getStream();
    stream.read(0);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => stream.destroy().once('close', resolve));
    expect(ended).toBe(true);
  });

  it('cuts the answer short when the source fails, and reports it', async () => {
    const warnings: string[] = [];
    const stopListening = contextWarnings.subscribe(({ code }) => warnings.push(code));
    const file = await ndjsonFile(() =>
      (async function* rows() {
        yield await Promise.resolve({ n: 1 });
        throw new Error('lost');
      })(),
    );
    await expect(file.getStream().toArray()).rejects.toThrow('lost');
    expect(warnings).toEqual(['STREAM_BROKEN']);
    stopListening();
  });

  it('lets what opening throws through', async () => {
    await expect(ndjsonFile(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  });
});
