import { describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import type { CpuTask } from '#libs/resilience';
import { run, transferOf } from './index-texts.thread.js';
import { storedIndexOf } from './stored-index.js';
import { indexTexts, TextIndexer } from './text-indexer.js';

const texts = Array.from(
  { length: 500 },
  (_, at) => `Entry ${at}\nIt is about number${at} things.`,
);

/** Does work here as a thread would, with all that is cloned and handed over. */
const cloning = {
  asked: 0,
  async run<Input, Output>(_: CpuTask<Input, Output>, input: Input): Promise<Output> {
    this.asked += 1;
    const output = run(structuredClone(input) as readonly string[]);
    return structuredClone(output, { transfer: transferOf(output) }) as Output;
  },
};

describe('the index of texts', () => {
  it('is the same wherever it is made', async () => {
    const expected = texts.map(storedIndexOf);
    expect(await new TextIndexer(undefined).index(texts)).toEqual(expected);
    expect(await new TextIndexer(cloning).index(texts)).toEqual(expected);
  });

  it('is made here for a few short texts', async () => {
    const { asked } = cloning;
    expect(await new TextIndexer(cloning).index(['A title\nand words'])).toEqual([
      storedIndexOf('A title\nand words'),
    ]);
    expect(cloning.asked).toBe(asked);
  });

  it('is made here when no thread is to be had, and not when the caller has no time', async () => {
    const failing = (code: string) => ({
      run: () => Promise.reject(new PantheonError(code, code, { kind: 'unavailable' })),
    });
    const full = new TextIndexer(failing('WORKER_QUEUE_FULL'));
    expect(await full.index(texts)).toEqual(texts.map(storedIndexOf));
    const late = new TextIndexer(failing('DEADLINE_EXCEEDED'));
    await expect(late.index(texts)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is the program of a thread', () => {
    expect(indexTexts.moduleUrl().href).toMatch(/index-texts\.thread\.ts$/);
  });
});
