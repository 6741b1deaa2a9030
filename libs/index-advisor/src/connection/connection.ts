/**
 * What the advisor needs of a connection: one session that answers queries in order.
 * A `Client` or `PoolClient` of `pg` fits after `connectionOf`.
 */
export interface Connection {
  query<Row extends object>(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
}

/** The part of a client of `pg` that is used. */
export interface PgClient {
  query(sql: string, parameters?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** A client of `pg` as a connection; whoever opened the client closes it. */
export function connectionOf(client: PgClient): Connection {
  return {
    async query<Row extends object>(sql: string, parameters: readonly unknown[] = []) {
      const { rows } = await client.query(sql, [...parameters]);
      return rows as Row[];
    },
  };
}
