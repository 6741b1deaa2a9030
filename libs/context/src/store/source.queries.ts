import type { CacheRule, SourceKind, SourceScope } from '../entities/context-source.entity.js';
import type { Queryable } from './database.js';

/** A source as it is stored. */
export interface SourceRow {
  readonly id: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly label: string;
  readonly kind: SourceKind;
  readonly scope: SourceScope;
  readonly retentionDays: number | null;
  readonly cacheRule: CacheRule | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Whose sources: those that the owner sees in the organization. */
export interface SourceViewer {
  readonly organizationId: string;
  readonly userId: string;
}

const COLUMNS = `id, organization_id AS "organizationId", owner_id AS "ownerId", name, label, kind,
  scope, retention_days AS "retentionDays", cache_rule AS "cacheRule",
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/** $1 is the organization and $2 the user: shared sources, and the user's own. */
const VISIBLE = `organization_id = $1 AND (scope <> 'personal' OR owner_id = $2)`;

/** The sources of some names, the viewer's own before a shared one of the same name. */
export function findSourcesByName(
  database: Queryable,
  { organizationId, userId }: SourceViewer,
  names: readonly string[],
): Promise<SourceRow[]> {
  return database.query(
    `SELECT DISTINCT ON (name) ${COLUMNS} FROM context_source
     WHERE ${VISIBLE} AND name = ANY($3)
     ORDER BY name, (scope = 'personal') DESC`,
    [organizationId, userId, names],
  );
}

/**
 * The sources of names in organizations, whoever owns them: at most `limit` a name, the shared one
 * first. In the order of the names.
 */
export async function findSourcesNamed(
  database: Queryable,
  names: readonly { readonly organizationId: string; readonly name: string }[],
  limit: number,
): Promise<SourceRow[][]> {
  const found: SourceRow[][] = names.map(() => []);
  const rows = await database.query<SourceRow & { readonly place?: string }>(
    `SELECT n.place, s.*
     FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS n(organization_id, name, place)
     CROSS JOIN LATERAL (
       SELECT ${COLUMNS} FROM context_source
       WHERE organization_id = n.organization_id AND name = n.name
       ORDER BY scope = 'personal', id LIMIT $3
     ) s`,
    [names.map(({ organizationId }) => organizationId), names.map(({ name }) => name), limit],
  );
  for (const { place, ...row } of rows) found[Number(place) - 1]?.push(row);
  return found;
}

/** The source of an id, if the viewer may know of it. */
export async function findSourceById(
  database: Queryable,
  { organizationId, userId }: SourceViewer,
  id: string,
): Promise<SourceRow | undefined> {
  const [row] = await database.query<SourceRow>(
    `SELECT ${COLUMNS} FROM context_source WHERE ${VISIBLE} AND id = $3`,
    [organizationId, userId, id],
  );
  return row;
}

/** Sources in the order of name and id, after a key of both. */
export function listSources(
  database: Queryable,
  { organizationId, userId }: SourceViewer,
  after: readonly [string, string] | undefined,
  limit: number,
): Promise<SourceRow[]> {
  return database.query(
    `SELECT ${COLUMNS} FROM context_source
     WHERE ${VISIBLE} AND ($3::text IS NULL OR (name, id) > ($3, $4::uuid))
     ORDER BY name, id LIMIT $5`,
    [organizationId, userId, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}

/** Stores a source; undefined when its name is taken. */
export async function insertSource(
  database: Queryable,
  source: Omit<SourceRow, 'createdAt' | 'updatedAt'>,
): Promise<SourceRow | undefined> {
  const [row] = await database.query<SourceRow>(
    `INSERT INTO context_source
       (id, organization_id, owner_id, name, label, kind, scope, retention_days, cache_rule)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
    [
      source.id,
      source.organizationId,
      source.ownerId,
      source.name,
      source.label,
      source.kind,
      source.scope,
      source.retentionDays,
      source.cacheRule === null ? null : JSON.stringify(source.cacheRule),
    ],
  );
  return row;
}

/** Overwrites what may change of a source, and says its name before; undefined when it is gone. */
export async function updateSource(
  database: Queryable,
  source: Pick<SourceRow, 'id' | 'name' | 'label' | 'kind' | 'retentionDays' | 'cacheRule'>,
): Promise<(SourceRow & { readonly nameBefore: string }) | undefined> {
  const [row] = await database.query<SourceRow & { readonly nameBefore: string }>(
    `WITH before AS (
       SELECT id AS before_id, name AS name_before FROM context_source WHERE id = $1 FOR UPDATE
     )
     UPDATE context_source
     SET name = $2, label = $3, kind = $4, retention_days = $5, cache_rule = $6, updated_at = now()
     FROM before WHERE id = before_id RETURNING ${COLUMNS}, name_before AS "nameBefore"`,
    [
      source.id,
      source.name,
      source.label,
      source.kind,
      source.retentionDays,
      source.cacheRule === null ? null : JSON.stringify(source.cacheRule),
    ],
  );
  return row;
}

/** Deletes a source with its entries and their index; undefined when it is gone. */
export async function deleteSource(
  database: Queryable,
  id: string,
): Promise<SourceRow | undefined> {
  const [row] = await database.query<SourceRow>(
    `DELETE FROM context_source WHERE id = $1 RETURNING ${COLUMNS}`,
    [id],
  );
  return row;
}
