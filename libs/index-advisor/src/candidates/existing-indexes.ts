import type { Table } from '../catalog/catalog.js';
import type { CatalogIndex, IndexKey } from '../catalog/catalog-index.js';
import { type CandidateIndex, type CandidateKey, quoteName } from '../what-if/candidate-index.js';

/**
 * Whether an index that is there can do whatever a candidate could, or finds the one row that a
 * candidate would find: columns after a unique key narrow nothing down.
 */
export function isServed(table: Table, candidate: CandidateIndex): boolean {
  return table.indexes.some(
    (index) => index.isValid && (covers(index, candidate) || isUniqueStart(index, candidate)),
  );
}

function isUniqueStart(index: CatalogIndex, { method, keys }: CandidateIndex): boolean {
  if (!index.isUnique || index.where !== undefined || method !== 'btree') return false;
  const first = new Set(keys.slice(0, index.keys.length).map(({ column }) => column));
  return index.keys.every(({ column }) => column !== undefined && first.has(column));
}

/**
 * Indexes that a new one makes superfluous: its keys begin with all of theirs. Those that a
 * constraint, uniqueness or replication needs are kept.
 */
export function supersededBy(table: Table, candidate: CandidateIndex): readonly CatalogIndex[] {
  if (candidate.method !== 'btree' || candidate.where !== undefined) return [];
  const { keys, include = [] } = candidate;
  const stored = new Set([...keys.map(({ column }) => column), ...include]);
  return table.indexes.filter(
    (index) =>
      isPlain(index) &&
      !index.isUnique &&
      index.constraint === undefined &&
      !index.isReplicaIdentity &&
      !index.isClustered &&
      index.keys.every((key, position) => isSame(key, keys[position])) &&
      index.include.every((column) => stored.has(column)),
  );
}

function covers(index: CatalogIndex, { method, keys, include = [], where }: CandidateIndex) {
  if (index.method !== method) return false;
  // A partial index serves the rows of its own predicate only, and a text says little about it.
  if (
    index.where !== undefined &&
    !leavesOutNullOnly(index) &&
    normal(index.where) !== normal(where)
  )
    return false;
  const stored = new Set([...index.keys.map(({ column }) => column), ...index.include]);
  return (
    keys.every((key, position) => isSame(index.keys[position], key)) &&
    include.every((column) => stored.has(column)) &&
    (method === 'btree' || keys.length === index.keys.length)
  );
}

/** No search by these methods finds NULL, so the planner takes such an index for all of them. */
function leavesOutNullOnly({ method, keys, where }: CatalogIndex): boolean {
  const [key, another] = keys;
  return (
    (method === 'gin' || method === 'hash') &&
    key?.column !== undefined &&
    another === undefined &&
    normal(where) === normal(`${key.column} IS NOT NULL`)
  );
}

function isPlain({ method, where, isValid }: CatalogIndex): boolean {
  return method === 'btree' && where === undefined && isValid;
}

function isSame(key: IndexKey | undefined, candidate: CandidateKey | undefined): boolean {
  if (key === undefined || candidate === undefined) return false;
  const { direction = 'asc', opclass } = candidate;
  const nulls = candidate.nulls ?? (direction === 'asc' ? 'last' : 'first');
  const text = candidate.column === undefined ? candidate.expression : quoteName(candidate.column);
  const isSameKey =
    candidate.column === undefined
      ? normal(key.expression) === normal(text)
      : key.column === candidate.column;
  return (
    isSameKey &&
    key.direction === direction &&
    key.nulls === nulls &&
    localName(key.opclass) === localName(opclass) &&
    (candidate.collation === undefined || candidate.collation === key.collation)
  );
}

/** Expressions are written with other parentheses, quotes and casts by the server. */
function normal(expression: string | undefined): string {
  return (expression ?? '').replaceAll(/::text|[\s"()]/g, '').toLowerCase();
}

function localName(name: string | undefined): string | undefined {
  return name?.split('.').at(-1)?.replaceAll('"', '');
}
