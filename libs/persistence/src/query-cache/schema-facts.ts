import type { Clock } from '#libs/core';

/** What a query cache has to know of a schema. */
export interface SchemaFacts {
  /** Names of functions of which PostgreSQL says that they are volatile. */
  readonly volatileFunctions: ReadonlySet<string>;
  /** Of each table and view: the tables that it is made of. */
  readonly tablesOf: ReadonlyMap<string, readonly string[]>;
  /** Of each table: the tables whose rows change with its rows, by foreign keys and inheritance. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
}

const VOLATILE = `SELECT DISTINCT proname AS name FROM pg_proc WHERE provolatile = 'v'`;
const RELATIONS = `
  WITH RECURSIVE used AS (
    SELECT c.oid AS relation, c.oid AS table_oid, c.relkind FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace <> 'pg_catalog'::regnamespace
      AND c.relnamespace <> 'information_schema'::regnamespace
    UNION
    SELECT u.relation, d.refobjid, c.relkind FROM used u
    JOIN pg_rewrite r ON r.ev_class = u.table_oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> u.table_oid
    JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  )
  SELECT c.relname AS name, array_agg(DISTINCT t.relname::text) AS tables
  FROM used u JOIN pg_class c ON c.oid = u.relation JOIN pg_class t ON t.oid = u.table_oid
  GROUP BY c.relname`;
const FOLLOWERS = `
  SELECT p.relname AS name, array_agg(DISTINCT c.relname::text) AS tables FROM (
    SELECT confrelid AS parent, conrelid AS child FROM pg_constraint
    WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
    UNION SELECT inhparent, inhrelid FROM pg_inherits
    UNION SELECT inhrelid, inhparent FROM pg_inherits
  ) link JOIN pg_class p ON p.oid = link.parent JOIN pg_class c ON c.oid = link.child
  GROUP BY p.relname`;

/** Reads rows in a way that is not cached itself. */
export type ReadRows = <Row>(text: string) => Promise<Row[]>;

/** For how long the facts hold; a process that changes the schema itself reads them anew at once. */
const LIFE_MS = 60_000;

/** The facts of a schema, read when they are first needed and again every so often. */
export class SchemaCatalog {
  private facts: Promise<SchemaFacts> | undefined;
  private readAtMs = 0;

  constructor(
    private readonly read: ReadRows,
    private readonly clock: Clock,
  ) {}

  current(): Promise<SchemaFacts> {
    if (this.facts === undefined || this.clock.monotonicMs() - this.readAtMs > LIFE_MS) {
      this.readAtMs = this.clock.monotonicMs();
      const facts = this.load();
      this.facts = facts;
      facts.catch(() => {
        if (this.facts === facts) this.facts = undefined;
      });
    }
    return this.facts;
  }

  /** The schema has changed. */
  forget(): void {
    this.facts = undefined;
  }

  private async load(): Promise<SchemaFacts> {
    const functions = await this.read<{ name: string }>(VOLATILE);
    const relations = await this.read<{ name: string; tables: string[] }>(RELATIONS);
    const followers = await this.read<{ name: string; tables: string[] }>(FOLLOWERS);
    return {
      volatileFunctions: new Set(functions.map(({ name }) => name)),
      tablesOf: new Map(relations.map(({ name, tables }) => [name, tables])),
      followers: new Map(followers.map(({ name, tables }) => [name, tables])),
    };
  }
}

/** The tables, and all whose rows change with theirs. */
export function withFollowers(tables: readonly string[], { followers }: SchemaFacts): string[] {
  const all = new Set(tables);
  // A set is walked on while it grows.
  for (const table of all) for (const follower of followers.get(table) ?? []) all.add(follower);
  return [...all];
}
