import { storedIndexOf } from './stored-index.js';

/** The indexes of some texts, packed so that they cross from one thread to another cheaply. */
export interface PackedIndexes {
  readonly words: readonly string[];
  /** Those of all texts, one after the other. */
  readonly features: Uint8Array<ArrayBuffer>;
  /** Where those of each text end. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export function run(texts: readonly string[]): PackedIndexes {
  const indexes = texts.map(storedIndexOf);
  const ends = new Uint32Array(indexes.length);
  let length = 0;
  for (const [at, index] of indexes.entries()) {
    length += index.features.length;
    ends[at] = length;
  }
  const features = new Uint8Array(length);
  for (const [at, index] of indexes.entries()) {
    features.set(index.features, (ends[at] ?? 0) - index.features.length);
  }
  return { words: indexes.map(({ words }) => words), features, ends };
}

export function transferOf({ features, ends }: PackedIndexes): ArrayBuffer[] {
  return [features.buffer, ends.buffer];
}
