/** Schemas that belong to users; `n` is pg_namespace. */
export const USER_SCHEMA = `n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`;

/** That an object does not come with an extension, which creates it by itself. */
export function notOfExtension(catalogName: string, oid: string): string {
  return `NOT EXISTS (
    SELECT FROM pg_depend own WHERE own.classid = '${catalogName}'::regclass
      AND own.objid = ${oid} AND own.deptype = 'e')`;
}

/** A time of the server in milliseconds, as a Date. */
export function dateOf(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds);
}
