/** What the cache needs of a pool of `pg`; `DataSource.driver.master` of TypeORM is one. */
export interface SqlClient {
  // eslint-disable-next-line typescript/no-unnecessary-type-parameters -- as the pool's own method
  query<Row extends object>(query: {
    readonly name?: string;
    readonly text: string;
    readonly values?: unknown[];
    /** The client gives up, and its connection with it, after this time. */
    readonly query_timeout?: number;
  }): Promise<{ rows: Row[]; rowCount: number | null }>;
}
