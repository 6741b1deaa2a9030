import type { Candidate } from '../candidates/candidate.js';
import {
  type CandidateIndex,
  candidateIdentity,
  type CandidateKey,
} from '../what-if/candidate-index.js';

/** How wide merged indexes may get. */
export interface MergeLimits {
  readonly maxKeys: number;
  readonly maxIncluded: number;
  readonly maxMerged: number;
}

/**
 * Indexes that do the work of two: the keys of one, then those of the other that are missing, as
 * keys or only stored. Whether one of them pays instead of the two is for the selection to find.
 */
export function mergeCandidates(
  candidates: readonly Candidate[],
  limits: MergeLimits,
): readonly Candidate[] {
  const known = new Set(candidates.map(({ index }) => candidateIdentity(index)));
  const merged = new Map<string, Candidate>();
  for (const first of candidates) {
    for (const second of candidates) {
      if (first === second || !canMerge(first.index, second.index)) continue;
      for (const index of mergesOf(first.index, second.index, limits)) {
        const identity = candidateIdentity(index);
        if (known.has(identity) || merged.size >= limits.maxMerged) continue;
        const statements = [...new Set([...first.statements, ...second.statements])];
        const reason = `${first.reason}; and ${second.reason}`;
        merged.set(identity, { index, reason, statements });
      }
    }
  }
  return [...merged.values()];
}

function canMerge(first: CandidateIndex, second: CandidateIndex): boolean {
  return (
    first.schema === second.schema &&
    first.table === second.table &&
    first.method === 'btree' &&
    second.method === 'btree' &&
    first.where === second.where &&
    sharesStart(first, second)
  );
}

/** Behind a key that the other one does not have, its own would only be read in full. */
function sharesStart({ keys: [start] }: CandidateIndex, { keys, include = [] }: CandidateIndex) {
  if (start === undefined) return false;
  const isKey = keys.some((key) => nameOf(key) === nameOf(start));
  return isKey || (start.column !== undefined && include.includes(start.column));
}

function mergesOf(
  first: CandidateIndex,
  second: CandidateIndex,
  { maxKeys, maxIncluded }: MergeLimits,
): readonly CandidateIndex[] {
  const names = new Set(first.keys.map((key) => nameOf(key)));
  const more = second.keys.filter((key) => !names.has(nameOf(key)));
  const stored = [...(first.include ?? []), ...(second.include ?? [])];
  const asKeys = withIncluded(first, [...first.keys, ...more], stored);
  // Columns that are only stored still make an index-only scan possible.
  const columns = more.flatMap(({ column }) => column ?? []);
  const asStored =
    columns.length === more.length
      ? withIncluded(first, first.keys, [...stored, ...columns])
      : undefined;
  return [asKeys, asStored]
    .filter((index) => index !== undefined)
    .filter(({ keys, include = [] }) => keys.length <= maxKeys && include.length <= maxIncluded);
}

function withIncluded(
  { schema, table, method, where }: CandidateIndex,
  keys: readonly CandidateKey[],
  stored: readonly string[],
): CandidateIndex {
  const names = new Set(keys.map(({ column }) => column));
  const include = [...new Set(stored)].filter((name) => !names.has(name)).toSorted();
  return {
    schema,
    table,
    method,
    keys,
    ...(include.length === 0 ? {} : { include }),
    ...(where === undefined ? {} : { where }),
  };
}

function nameOf({ column, expression }: CandidateKey): string {
  return column === undefined ? `expression ${expression}` : `column ${column}`;
}
