import type { DataSource } from 'typeorm';
import { type ExpiredRows, ExpiredRowsPurger } from './expired-rows.js';

const TABLE = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/;

/** Deletes expired rows of one table by a condition. */
export class TablePurger extends ExpiredRowsPurger {
  readonly owner: string;
  private readonly sql: string;

  /** @throws TypeError when the table is not a plain name */
  constructor(
    private readonly dataSource: DataSource,
    { owner, table, where }: ExpiredRows,
  ) {
    super();
    if (!TABLE.test(table)) {
      throw new TypeError(`Expired rows of "${owner}": "${table}" is not the name of a table.`);
    }
    this.owner = owner;
    // Rows that somebody else holds are skipped, not waited for: the next purge gets them.
    this.sql = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE ${where} LIMIT $2 FOR UPDATE SKIP LOCKED))`;
  }

  async purgeBatch(limit: number, now: Date): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown, number]>(this.sql, [now, limit]);
    return deleted;
  }
}

/** Everything that expires, each owner once. */
export class ExpiredRowsRegistry {
  private readonly purgersByOwner = new Map<string, ExpiredRowsPurger>();

  /** @throws TypeError when the owner has another purger already */
  add(purger: ExpiredRowsPurger): void {
    const known = this.purgersByOwner.get(purger.owner);
    if (known !== undefined && known !== purger) {
      throw new TypeError(
        `Two purgers are called "${purger.owner}". Give each an owner of its own.`,
      );
    }
    this.purgersByOwner.set(purger.owner, purger);
  }

  get purgers(): readonly ExpiredRowsPurger[] {
    return [...this.purgersByOwner.values()];
  }
}
