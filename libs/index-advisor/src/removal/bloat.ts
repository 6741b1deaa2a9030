import type { Catalog, Table } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import { quoteName } from '../what-if/candidate-index.js';
import { indexSize } from '../what-if/size/index-size.js';
import { asCandidate, type PlacedIndex, shownName } from './index-facts.js';

/** From when on wasted space is worth a word. */
export interface BloatLimits {
  /** Default 16 MiB. */
  readonly minWastedBytes?: number;
}

/** A B-tree that grew by random inserts is 1.4 times as large as a new one; that is no bloat. */
const INDEX_FACTOR = 2;
const TABLE_FACTOR = 1.6;
const MIN_CHANGES = 1000;

/** Indexes and tables that take much more space than their rows need, by the statistics. */
export function findBloat(
  catalog: Catalog,
  { minWastedBytes = 16 * 2 ** 20 }: BloatLimits = {},
): readonly Finding[] {
  const { blockBytes } = catalog.server;
  const stored = catalog.tables.filter(
    ({ kind }) => kind === 'table' || kind === 'materialized view',
  );
  const indexes = stored.flatMap((table) =>
    table.indexes.flatMap(
      (index) => bloatOfIndex({ index, table }, blockBytes, minWastedBytes) ?? [],
    ),
  );
  const tables = stored.flatMap((table) => bloatOfTable(table, blockBytes, minWastedBytes) ?? []);
  return [...indexes, ...tables];
}

function bloatOfIndex(
  placed: PlacedIndex,
  blockBytes: number,
  minWastedBytes: number,
): Finding | undefined {
  const { index, table } = placed;
  // The sizes of other kinds, and of expressions, are known too roughly to judge by.
  if (index.method !== 'btree' || index.keys.some(({ column }) => column === undefined)) {
    return undefined;
  }
  const facts = index.where === undefined ? {} : { rows: Math.max(0, index.analysedRows) };
  const fill = storageOption(index.options, 'fillfactor', 90) / 90;
  const expected = Math.ceil(indexSize(asCandidate(placed), table, facts).pages / fill);
  const wastedBytes = (index.pages - expected) * blockBytes;
  if (table.size.rows <= 0 || index.pages < expected * INDEX_FACTOR) return undefined;
  if (wastedBytes < minWastedBytes) return undefined;
  return {
    code: 'bloated-index',
    object: shownName(index),
    why:
      `${index.name} is ${(index.pages / Math.max(1, expected)).toFixed(1)} times as large as a ` +
      'new one would be, so reads and the cache carry empty pages.',
    evidence: { bytes: index.bytes, expectedBytes: expected * blockBytes, wastedBytes },
    remedy: [`REINDEX INDEX CONCURRENTLY ${quoteName(index.schema)}.${quoteName(index.name)}`],
    confidence: 'check',
  };
}

const TUPLE_HEADER_BYTES = 24;
const LINE_POINTER_BYTES = 4;
const PAGE_HEADER_BYTES = 24;

function bloatOfTable(
  table: Table,
  blockBytes: number,
  minWastedBytes: number,
): Finding | undefined {
  const { size, columns, options } = table;
  const known = columns.flatMap(({ statistics }) => statistics ?? []);
  if (size.rows <= 0 || known.length < columns.length) return undefined;
  const data = known.reduce(
    (sum, { averageWidth, nullFraction }) => sum + averageWidth * (1 - nullFraction),
    0,
  );
  // Alignment adds up to a few bytes a column; half of that is a fair guess.
  const tuple = Math.ceil((TUPLE_HEADER_BYTES + data + columns.length) / 8) * 8;
  const room = (blockBytes - PAGE_HEADER_BYTES) * (storageOption(options, 'fillfactor', 100) / 100);
  const expected = Math.ceil(
    table.activity.liveRows > 0 || size.rows > 0
      ? ((table.activity.liveRows || size.rows) * (tuple + LINE_POINTER_BYTES)) / room
      : 0,
  );
  const wastedBytes = (size.pages - expected) * blockBytes;
  if (size.pages < expected * TABLE_FACTOR || wastedBytes < minWastedBytes) return undefined;
  return {
    code: 'bloated-table',
    object: shownName(table),
    why:
      `${table.name} takes ${(size.pages / Math.max(1, expected)).toFixed(1)} times the pages that ` +
      'its rows need. VACUUM lets new rows fill the gaps; only a rewrite gives the space back.',
    evidence: {
      pages: size.pages,
      expectedPages: expected,
      wastedBytes,
      deadRows: table.activity.deadRows,
    },
    remedy: [`VACUUM (ANALYZE) ${tableName(table)}`],
    confidence: 'check',
  };
}

/** Tables whose dead rows were not cleared away, or whose statistics are out of date. */
export function findNeglected(catalog: Catalog): readonly Finding[] {
  return catalog.tables
    .filter(({ kind }) => kind === 'table' || kind === 'materialized view')
    .flatMap((table) => needsVacuum(table).concat(needsAnalyse(table)));
}

function needsVacuum(table: Table): readonly Finding[] {
  const { deadRows, liveRows, lastVacuumAt } = table.activity;
  if (deadRows < MIN_CHANGES + 0.2 * liveRows) return [];
  return [
    {
      code: 'dead-rows',
      object: shownName(table),
      why: `${deadRows} dead rows of ${table.name} wait for VACUUM; each scan reads them too.`,
      evidence: { deadRows, liveRows, lastVacuumAt: lastVacuumAt?.toISOString() ?? null },
      remedy: [`VACUUM ${tableName(table)}`],
      confidence: 'certain',
    },
  ];
}

/** Tables whose statistics no longer tell of their rows. */
export function needsAnalyse(table: Table): readonly Finding[] {
  const { changesSinceAnalyse, liveRows, lastAnalyseAt } = table.activity;
  const isNever = table.size.analysedRows < 0 && liveRows >= MIN_CHANGES;
  if (!isNever && changesSinceAnalyse < MIN_CHANGES + 0.2 * liveRows) return [];
  return [
    {
      code: 'stale-statistics',
      object: shownName(table),
      why: isNever
        ? `${table.name} was never analysed, so the planner guesses how many rows match.`
        : `${changesSinceAnalyse} rows of ${table.name} changed since it was analysed.`,
      evidence: {
        changesSinceAnalyse,
        liveRows,
        lastAnalyseAt: lastAnalyseAt?.toISOString() ?? null,
      },
      remedy: [`ANALYZE ${tableName(table)}`],
      confidence: 'certain',
    },
  ];
}

function tableName({ schema, name }: Table): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

function storageOption(options: readonly string[], name: string, fallback: number): number {
  const given = options.find((option) => option.startsWith(`${name}=`));
  return given === undefined ? fallback : Number(given.slice(name.length + 1));
}
