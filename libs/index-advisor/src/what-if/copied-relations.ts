import { join } from 'node:path';
import type { Catalog, Table } from '../catalog/catalog.js';
import type { CatalogIndex } from '../catalog/catalog-index.js';
import { brinFirstPage, btreeSpine, type GinCounts, ginFirstPage } from './index-pages.js';
import type { PlanningSession } from './planning-session.js';
import { PAGE_BYTES, readFirstPage, resizeRelation, writePages } from './relation-files.js';
import { indexSize } from './size/index-size.js';

/** Where the files of relations are, by schema and name; only of those that have files. */
export type RelationPaths = ReadonlyMap<string, string>;

/** A relation's key in such a map. */
export function relationKey({ schema, name }: { schema: string; name: string }): string {
  return JSON.stringify([schema, name]);
}

/** Asks the copy for the files of its relations. */
export async function relationPaths(
  session: PlanningSession,
  dataDir: string,
): Promise<RelationPaths> {
  const rows = await session.query<{ schema: string; name: string; path: string }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, pg_relation_filepath(c.oid) AS path
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
       AND c.relkind IN ('r', 'm', 'i')`,
  );
  return new Map(rows.map((row) => [relationKey(row), join(dataDir, row.path)]));
}

/** The oids in the copy of the indexes that plans may use. */
export async function validIndexes(session: PlanningSession): Promise<ReadonlyMap<string, number>> {
  const rows = await session.query<{ schema: string; name: string; oid: number }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, c.oid::bigint::float8 AS oid
     FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE x.indisvalid AND n.nspname NOT LIKE 'pg\\_%'`,
  );
  return new Map(rows.map((row) => [relationKey(row), row.oid]));
}

/** Gives all tables and indexes of the catalog the size that they have on the server. */
export async function resizeCatalog(catalog: Catalog, paths: RelationPaths): Promise<void> {
  const scale = catalog.server.blockBytes / PAGE_BYTES;
  for (const table of catalog.tables) {
    await resizeTable(table, paths, scale);
    for (const index of table.indexes) {
      const path = paths.get(relationKey(index));
      const pages = Math.ceil(index.pages * scale);
      if (path !== undefined) await resizeIndex(path, index.method, inside(table, index, pages));
    }
  }
}

/** Gives a table its size; none while an index is built on it, as there are no rows. */
export async function resizeTable(
  table: Table,
  paths: RelationPaths,
  scale: number,
): Promise<void> {
  const path = paths.get(relationKey(table));
  if (path !== undefined) await resizeRelation(path, Math.ceil(table.size.pages * scale));
}

/** What the planner reads of an index beside its statistics. */
export interface IndexInside {
  readonly pages: number;
  readonly tablePages: number;
  /** Levels of a B-tree above its leaves. */
  readonly height?: number | undefined;
  readonly gin?: GinCounts | undefined;
}

/** Gives an index its size and a first page that tells its height and what is in it. */
export async function resizeIndex(
  path: string,
  method: string,
  { pages, tablePages, height = 0, gin }: IndexInside,
): Promise<void> {
  const first = await readFirstPage(path);
  const spine = method === 'btree' && first !== undefined ? btreeSpine(first, height) : [];
  await resizeRelation(path, Math.max(pages, spine.length, first === undefined ? 0 : 1));
  // An index of an empty table has a first page only.
  if (first === undefined || pages < 2) return;
  if (method === 'btree') await writePages(path, spine);
  if (method === 'brin') await writePages(path, [brinFirstPage(first, tablePages)]);
  if (method === 'gin' && gin !== undefined) await writePages(path, [ginFirstPage(first, gin)]);
}

/** How an index of the server probably looks inside, which an ordinary role cannot read. */
function inside(table: Table, index: CatalogIndex, pages: number): IndexInside {
  const { method, keys, include, where, analysedRows } = index;
  const facts = {
    ...(where === undefined || analysedRows < 0 ? {} : { rows: analysedRows }),
    expressions: new Map(
      keys.map(({ expression, statistics }) => [expression, { type: TEXT, statistics }]),
    ),
  };
  const built = indexSize(
    {
      // What is built like none of these is not looked into either.
      method: isKnownMethod(method) ? method : 'hash',
      keys: keys.map(({ column, expression }) =>
        column === undefined ? { expression } : { column },
      ),
      include,
      ...(where === undefined ? {} : { where }),
    },
    table,
    { ...facts, pages },
  );
  const { height, gin } = built;
  const growth = built.pages > 1 ? Math.max(0, pages - 1) / (built.pages - 1) : 1;
  return { pages, tablePages: table.size.pages, height, gin: gin && grown(gin, growth) };
}

const TEXT = { baseType: 'text', typeBytes: -1, alignment: 'i' };

function grown({ entries, entryPages, dataPages }: GinCounts, factor: number): GinCounts {
  return {
    entries,
    entryPages: Math.max(1, Math.round(entryPages * factor)),
    dataPages: Math.round(dataPages * factor),
  };
}

function isKnownMethod(method: string): method is 'btree' | 'gin' | 'brin' {
  return ['btree', 'gin', 'brin'].includes(method);
}
