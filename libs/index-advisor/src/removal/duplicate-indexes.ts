import type { Catalog } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import {
  asCandidate,
  bytesOf,
  dropStatement,
  keyText,
  type PlacedIndex,
  sameList,
  scansOf,
  shownName,
  topIndexes,
  whatNeeds,
} from './index-facts.js';
import { candidateClause } from '../what-if/candidate-index.js';

/** An index that another makes superfluous. */
export interface Duplicate {
  readonly dropped: PlacedIndex;
  readonly kept: PlacedIndex;
  /** `same`: equal in all that matters; `prefix`: the other begins with the same keys. */
  readonly kind: 'same' | 'prefix';
  readonly finding: Finding;
}

/**
 * Indexes that do nothing that another index of the table does not do: the same method, keys,
 * operator classes, predicate and included columns, or keys that the other begins with. Of two
 * equal ones that stays which a constraint needs, or else the older.
 */
export function findDuplicates(catalog: Catalog): readonly Duplicate[] {
  const placed = topIndexes(catalog).filter(({ index }) => index.isValid);
  const gone = new Set<number>();
  const found: Duplicate[] = [];
  // The least worthy first, so that of three equal ones two go.
  for (const dropped of placed.toSorted((a, b) => byWorth(a, b, catalog))) {
    if (whatNeeds(dropped, catalog).length > 0) continue;
    const others = placed.filter(
      ({ index, table }) =>
        table === dropped.table && index !== dropped.index && !gone.has(index.oid),
    );
    const same = others.find((kept) => isSame(dropped, kept));
    const kept = same ?? others.find((other) => isPrefix(dropped, other));
    if (kept === undefined) continue;
    gone.add(dropped.index.oid);
    const kind = same === undefined ? 'prefix' : 'same';
    found.push({ dropped, kept, kind, finding: findingOf(dropped, kept, kind, catalog) });
  }
  return found;
}

/** The less worthy first: needed by nothing, narrower, younger. Which of two equal ones is read is chance. */
function byWorth(one: PlacedIndex, other: PlacedIndex, catalog: Catalog): number {
  const traits = (placed: PlacedIndex) => [
    whatNeeds(placed, catalog).length > 0 ? 1 : 0,
    placed.index.keys.length + placed.index.include.length,
    -placed.index.oid,
  ];
  const others = traits(other);
  const differences = traits(one).map((trait, position) => trait - (others[position] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function isSame({ index }: PlacedIndex, { index: other }: PlacedIndex): boolean {
  return (
    isComparable(index, other) &&
    sameList(index.keys.map(keyText), other.keys.map(keyText)) &&
    index.include.every((column) => other.include.includes(column))
  );
}

function isPrefix({ index }: PlacedIndex, { index: other }: PlacedIndex): boolean {
  if (!isComparable(index, other) || index.method !== 'btree') return false;
  if (index.keys.length >= other.keys.length) return false;
  const stored = new Set([...other.keys.map(({ column }) => column), ...other.include]);
  return (
    sameList(index.keys.map(keyText), other.keys.slice(0, index.keys.length).map(keyText)) &&
    index.include.every((column) => stored.has(column))
  );
}

function isComparable(
  { method, where, options }: PlacedIndex['index'],
  other: PlacedIndex['index'],
): boolean {
  return (
    method === other.method &&
    where === other.where &&
    // Options of GIN and BRIN change what an index can do.
    (method === 'btree' || sameList(options.toSorted(), other.options.toSorted()))
  );
}

function findingOf(
  dropped: PlacedIndex,
  kept: PlacedIndex,
  kind: Duplicate['kind'],
  catalog: Catalog,
): Finding {
  const keys = (placed: PlacedIndex) => candidateClause(asCandidate(placed)).split(' USING ')[1];
  const reasons = whatNeeds(kept, catalog);
  const stays = reasons.length === 0 ? '' : `, which stays because ${reasons.join(' and ')}`;
  const why =
    kind === 'same'
      ? `${dropped.index.name} has the same method, keys, operator classes and predicate as ` +
        `${kept.index.name}${stays}. Every write maintains both.`
      : `${kept.index.name} begins with all keys of ${dropped.index.name}, with the same method, ` +
        `order, operator classes and predicate${stays}, so it serves every read of the shorter one.`;
  return {
    code: kind === 'same' ? 'duplicate-index' : 'prefix-index',
    object: shownName(dropped.index),
    why,
    evidence: {
      definition: keys(dropped) ?? '',
      keptIndex: shownName(kept.index),
      keptDefinition: keys(kept) ?? '',
      bytes: bytesOf(dropped.index, catalog),
      keptBytes: bytesOf(kept.index, catalog),
      scans: scansOf(dropped.index, catalog),
      keptScans: scansOf(kept.index, catalog),
    },
    remedy: [dropStatement(dropped)],
    confidence: kind === 'same' ? 'certain' : 'check',
  };
}
