import { Injectable } from '@nestjs/common';
import { Clock, newId } from '#libs/core';
import { DataSource } from 'typeorm';
import { ChangeAudit, type ChangeEntry } from './change-audit.js';

/** An entry with when it was written. */
export interface KeptEntry extends ChangeEntry {
  /** ISO 8601. */
  readonly at: string;
}

/** Keeps the steps of changes in the table `index_change`. */
@Injectable()
export class PostgresChangeAudit extends ChangeAudit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {
    super();
  }

  async write(entry: ChangeEntry): Promise<void> {
    const { changeId, step, schema, table, index, definition, detail } = entry;
    await this.dataSource.query(
      `INSERT INTO index_change (id, change_id, at, step, schema_name, table_name, index_name,
         definition, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        newId(),
        changeId,
        this.clock.now(),
        step,
        schema,
        table,
        index,
        definition,
        JSON.stringify(detail),
      ],
    );
  }

  /** The latest entries, newest first. */
  async latest(limit: number): Promise<readonly KeptEntry[]> {
    return this.dataSource.query<KeptEntry[]>(
      `SELECT change_id AS "changeId", step,
         to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, schema_name AS schema, table_name AS "table",
         index_name AS index, definition, detail FROM index_change ORDER BY id DESC LIMIT $1`,
      [limit],
    );
  }

  /** Whether a change got as far as building its index. */
  async hasBuilt(changeId: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `SELECT FROM index_change WHERE change_id = $1 AND step = 'build-started' LIMIT 1`,
      [changeId],
    );
    return rows.length > 0;
  }
}
