import type { Catalog, Table } from '../catalog/catalog.js';
import { rowsOf } from '../candidates/column-facts.js';
import { type CandidateIndex, quoteName } from '../what-if/candidate-index.js';
import { hotShare, type RowWrites } from './row-writes.js';

/** A candidate with its size. */
export interface SizedCandidate {
  readonly index: CandidateIndex;
  readonly table: Table;
  readonly sizeBytes: number;
}

/** What writes pay for candidates over the period of the workload. */
export interface WriteCosts {
  /** By candidate. */
  readonly own: readonly number[];
  /** Of HOT updates that are lost as soon as one of the candidates exists. */
  readonly shared: readonly { readonly indexes: readonly number[]; readonly cost: number }[];
}

const PAGE_BYTES = 8192;
/** Entries of an inner page of a B-tree with keys of usual width. */
const FANOUT = 200;
/** Operators that going down one level of a B-tree counts as, in the planner's own model. */
const OPERATORS_PER_LEVEL = 50;
/** Of a page written in order: an entry's part in the log and in writing its page back. */
const LOG_SHARE = 0.25;
/** When nothing was counted, as usual where no index stands on what is set. */
const USUAL_HOT_SHARE = 0.9;
/** A deleted row's entries are removed later, many at once. */
const DELETE_SHARE = 0.1;

/** How much dearer or cheaper an entry is than in a B-tree. */
const METHODS: Readonly<Record<CandidateIndex['method'], number>> = {
  btree: 1,
  hash: 0.8,
  gin: 8,
  gist: 3,
  spgist: 2,
  brin: 0.05,
};

/** Estimates what writes pay for candidates, in the planner's unit of cost. */
export function writeCosts(
  catalog: Catalog,
  candidates: readonly SizedCandidate[],
  writes: ReadonlyMap<Table, RowWrites>,
): WriteCosts {
  const unit = costUnits(catalog.server.settings);
  const entry = (candidate: SizedCandidate) =>
    entryCost(candidate.sizeBytes, rowsOf(candidate.table), unit) * METHODS[candidate.index.method];
  const own = candidates.map((candidate) => {
    const { table, index, sizeBytes } = candidate;
    const { inserts, deletes, updates } = writes.get(table) ?? NOTHING;
    const updated = updates.reduce((sum, { columns, rows }) => {
      const lost = touches(index, columns) ? 1 : 1 - hotShareOf(catalog, table, columns);
      return sum + rows * lost;
    }, 0);
    const share = partialShare(table, index, sizeBytes);
    return (inserts + updated + deletes * DELETE_SHARE) * share * entry(candidate);
  });
  return { own, shared: lostHotUpdates(catalog, candidates, writes, unit) };
}

const NOTHING: RowWrites = { inserts: 0, deletes: 0, updates: [] };

/** An update that was HOT pays for all indexes of the table once any stands on what it sets. */
function lostHotUpdates(
  catalog: Catalog,
  candidates: readonly SizedCandidate[],
  writes: ReadonlyMap<Table, RowWrites>,
  unit: CostUnits,
): WriteCosts['shared'] {
  const tables = new Set(candidates.map(({ table }) => table));
  return [...tables].flatMap((table) =>
    (writes.get(table)?.updates ?? []).flatMap(({ columns, rows }) => {
      const indexes = candidates.flatMap((candidate, number) =>
        candidate.table === table && touches(candidate.index, columns) ? [number] : [],
      );
      const hot = rows * hotShareOf(catalog, table, columns);
      const existing = table.indexes.reduce(
        (sum, { bytes }) => sum + entryCost(bytes, rowsOf(table), unit),
        0,
      );
      return indexes.length === 0 || hot === 0 ? [] : [{ indexes, cost: hot * existing }];
    }),
  );
}

/** The share of updates of these columns that is HOT now. */
function hotShareOf(catalog: Catalog, table: Table, columns: readonly string[]): number {
  const isIndexed = table.indexes.some((index) => {
    const texts = [...index.keys.map(({ expression }) => expression), index.where ?? ''];
    return columns.some(
      (name) =>
        index.include.includes(name) ||
        index.keys.some(({ column }) => column === name) ||
        texts.some((text) => mentions(text, name)),
    );
  });
  return isIndexed ? 0 : (hotShare(catalog, table) ?? USUAL_HOT_SHARE);
}

/** Whether setting columns changes an entry of an index; BRIN is told apart since PostgreSQL 16. */
function touches(index: CandidateIndex, columns: readonly string[]): boolean {
  const texts = [...index.keys.map(({ expression = '' }) => expression), index.where ?? ''];
  const used = new Set([...index.keys.map(({ column }) => column), ...(index.include ?? [])]);
  return (
    index.method !== 'brin' &&
    columns.some((name) => used.has(name) || texts.some((text) => mentions(text, name)))
  );
}

/** Whether an expression has a column; candidates write names in quotes, the server as needed. */
function mentions(expression: string, column: string): boolean {
  if (expression.includes(quoteName(column))) return true;
  const code = expression.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' ');
  return new Set(code.match(/[\p{L}_][\p{L}\p{N}_$]*/gu)).has(column);
}

/** The share of rows that a partial index holds, guessed from its size. */
function partialShare(table: Table, { where, keys, include = [] }: CandidateIndex, bytes: number) {
  if (where === undefined) return 1;
  const full = rowsOf(table) * (16 + 8 * (keys.length + include.length));
  return Math.min(1, Math.max(0.001, bytes / full));
}

interface CostUnits {
  readonly operator: number;
  readonly tuple: number;
  readonly randomPage: number;
  readonly page: number;
  readonly cacheBytes: number;
}

/** Finding the leaf, adding the entry, its log, and reading the leaf when memory is too small. */
function entryCost(bytes: number, rows: number, unit: CostUnits): number {
  const pages = Math.max(1, bytes / PAGE_BYTES);
  const levels = Math.ceil(Math.log(pages) / Math.log(FANOUT)) + 1;
  const comparisons = Math.log2(Math.max(2, rows)) + levels * OPERATORS_PER_LEVEL;
  const missing = bytes > unit.cacheBytes ? 1 - unit.cacheBytes / bytes : 0;
  return (
    comparisons * unit.operator + unit.tuple + LOG_SHARE * unit.page + missing * unit.randomPage
  );
}

function costUnits(settings: ReadonlyMap<string, string>): CostUnits {
  const number = (name: string, usual: number) => {
    const value = Number.parseFloat(settings.get(name) ?? '');
    return Number.isFinite(value) ? value : usual;
  };
  return {
    operator: number('cpu_operator_cost', 0.0025),
    tuple: number('cpu_index_tuple_cost', 0.005),
    randomPage: number('random_page_cost', 4),
    page: number('seq_page_cost', 1),
    cacheBytes: bytesOf(settings.get('effective_cache_size') ?? '4GB'),
  };
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** Bytes of a setting such as `4GB`; a plain number counts pages. */
function bytesOf(setting: string): number {
  const [, amount = '0', unit = ''] = /^([\d.]+)\s*(\w*)$/.exec(setting) ?? [];
  return Number(amount) * (UNITS[unit] ?? PAGE_BYTES);
}
