import type { Connection } from '../connection/connection.js';
import type { Extension, UserFunction, UserType, View } from './catalog.js';
import { notOfExtension, USER_SCHEMA } from './own-objects.js';

/** The schemas of users, by name. */
export async function readSchemas(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ name: string }>(
    `SELECT n.nspname::text AS name FROM pg_namespace n WHERE ${USER_SCHEMA} ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** The extensions of the database. */
export function readExtensions(connection: Connection): Promise<readonly Extension[]> {
  return connection.query<Extension>(
    `SELECT e.extname::text AS name, n.nspname::text AS schema, e.extversion AS version
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.oid`,
  );
}

/** Enums, domains, composites and ranges, as the statements that create them. */
export function readTypes(connection: Connection): Promise<readonly UserType[]> {
  return connection.query<UserType>(`
    SELECT t.oid::bigint::float8 AS oid, n.nspname::text AS schema, t.typname::text AS name,
      CASE t.typtype
        WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, (
          SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
          FROM pg_enum e WHERE e.enumtypid = t.oid))
        WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s', n.nspname, t.typname,
          format_type(t.typbasetype, t.typtypmod),
          CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
          (SELECT string_agg(' ' || pg_get_constraintdef(k.oid), '' ORDER BY k.oid)
           FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
        WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, (
          SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
            ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
            AND NOT a.attisdropped))
        WHEN 'r' THEN format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s)', n.nspname, t.typname, (
          SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid))
      END AS definition
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE ${USER_SCHEMA} AND ${notOfExtension('pg_type', 't.oid')}
      AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (
        SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
    ORDER BY t.oid`);
}

/** Functions of the database's own; those in C cannot be copied and are left out. */
export function readFunctions(connection: Connection): Promise<readonly UserFunction[]> {
  return connection.query<UserFunction>(`
    SELECT n.nspname::text AS schema, p.proname::text AS name,
      pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_language l ON l.oid = p.prolang
    WHERE ${USER_SCHEMA} AND p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND ${notOfExtension('pg_proc', 'p.oid')}
    ORDER BY p.oid`);
}

/** Views; materialized views are tables to the planner. */
export function readViews(connection: Connection): Promise<readonly View[]> {
  return connection.query<View>(`
    SELECT n.nspname::text AS schema, c.relname::text AS name,
      format('CREATE VIEW %I.%I%s AS %s', n.nspname, c.relname,
        CASE WHEN c.reloptions IS NULL THEN ''
          ELSE ' WITH (' || array_to_string(c.reloptions, ', ') || ')' END,
        pg_get_viewdef(c.oid)) AS definition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${USER_SCHEMA} AND c.relkind = 'v' AND ${notOfExtension('pg_class', 'c.oid')}
    ORDER BY c.oid`);
}
