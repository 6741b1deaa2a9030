import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Changes at run time that outlive the process: values by name. */
export abstract class CacheOverrideStore {
  abstract readAll(): Promise<ReadonlyMap<string, unknown>>;

  /** Writes the values in one step; null removes one. */
  abstract write(changes: ReadonlyMap<string, unknown>, userId: string): Promise<void>;
}

/** In the table `cache_override`, which every process of the platform reads. */
@Injectable()
export class PostgresCacheOverrideStore extends CacheOverrideStore {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async readAll(): Promise<ReadonlyMap<string, unknown>> {
    const rows = await this.dataSource.query<{ name: string; value: unknown }[]>(
      'SELECT name, value FROM cache_override',
    );
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  async write(changes: ReadonlyMap<string, unknown>, userId: string): Promise<void> {
    const entries = [...changes].sort(([a], [b]) => (a < b ? -1 : 1));
    const kept = entries.filter(([, value]) => value !== null);
    await this.dataSource.query(
      `WITH removed AS (
         DELETE FROM cache_override WHERE name = ANY ($1::text[])
       )
       INSERT INTO cache_override AS known (name, value, updated_at, updated_by)
       SELECT name, value, clock_timestamp(), $4::uuid
       FROM unnest($2::text[], $3::jsonb[]) AS asked (name, value)
       ON CONFLICT (name) DO UPDATE
       SET value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [
        entries.filter(([, value]) => value === null).map(([name]) => name),
        kept.map(([name]) => name),
        kept.map(([, value]) => JSON.stringify(value)),
        userId,
      ],
    );
  }
}
