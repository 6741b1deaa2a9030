import { createHash } from 'node:crypto';
import {
  type CandidateIndex,
  candidateClause,
  candidateIdentity,
  quoteName,
} from '../what-if/candidate-index.js';

/** Bytes of a name in PostgreSQL. */
const MAX_BYTES = 63;
/** Every index of the advisor begins so. */
const PREFIX = 'ix';

/**
 * The name of an index: the same for the same index whenever it is advised, so that a change that
 * is run again finds what it did. Tells table and columns as far as there is room.
 */
export function indexName(index: CandidateIndex): string {
  const hash = createHash('sha256').update(candidateIdentity(index)).digest('hex').slice(0, 8);
  const columns = index.keys.map(({ column }) => column ?? 'expression');
  const words = [PREFIX, index.table, ...columns]
    .map((word) => plain(word))
    .filter((word) => word !== '');
  return `${words.join('_').slice(0, MAX_BYTES - hash.length - 1)}_${hash}`;
}

/** The statement that builds an index without locking out writes, where PostgreSQL can. */
export function createStatement(index: CandidateIndex, isPartitioned: boolean): string {
  const how = isPartitioned ? '' : 'CONCURRENTLY ';
  return `CREATE INDEX ${how}${quoteName(indexName(index))} ON ${candidateClause(index)}`;
}

/** Letters that need no quotes anywhere. */
function plain(word: string): string {
  return word
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
}
