import { PantheonError, threadFile, Turns } from '#libs/core';
import { type CpuWorkers, defineCpuTask } from '#libs/resilience';
import type { PackedIndexes } from './index-texts.thread.js';
import { type StoredIndex, storedIndexOf } from './stored-index.js';

/** Indexing texts as work for a thread. */
export const indexTexts = defineCpuTask<readonly string[], PackedIndexes>('context.index', () =>
  threadFile('index-texts', import.meta.url),
);

/** Shorter texts are indexed sooner than a thread has got them: they take a millisecond or so. */
const INLINE_CHARACTERS = 8_192;
/** The pool's reasons not to do what can be done here as well. */
const POOL_FAILURES = new Set(['WORKER_QUEUE_FULL', 'WORKERS_CLOSED', 'WORKER_CRASHED']);

/**
 * Indexes texts for the store without holding up the event loop: in a thread, as soon as there is more
 * to index than a few short texts. A batch of a thousand takes 20 to 200 ms.
 */
export class TextIndexer {
  constructor(private readonly workers: Pick<CpuWorkers, 'run'> | undefined) {}

  /** @param isBackground whether no request waits for it, so that the time of none counts */
  async index(texts: readonly string[], isBackground = false): Promise<readonly StoredIndex[]> {
    const characters = texts.reduce((sum, text) => sum + text.length, 0);
    if (characters <= INLINE_CHARACTERS) return texts.map(storedIndexOf);
    if (this.workers === undefined) return inTurns(texts);
    try {
      return unpack(await this.workers.run(indexTexts, texts, { ignoresDeadline: isBackground }));
    } catch (error) {
      if (!(error instanceof PantheonError) || !POOL_FAILURES.has(error.code)) throw error;
      return inTurns(texts);
    }
  }
}

/** Here, with the event loop turning between pieces. */
async function inTurns(texts: readonly string[]): Promise<readonly StoredIndex[]> {
  const indexes: StoredIndex[] = [];
  const turns = new Turns();
  for (const text of texts) {
    if (turns.isOver) await turns.giveWay();
    indexes.push(storedIndexOf(text));
  }
  return indexes;
}

function unpack({ words, features, ends }: PackedIndexes): readonly StoredIndex[] {
  return words.map((own, at) => ({
    words: own,
    features: features.subarray(at === 0 ? 0 : ends[at - 1], ends[at]),
  }));
}
