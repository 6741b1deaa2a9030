import { Injectable } from '@nestjs/common';
import { Clock, newId } from '#libs/core';
import { DataSource } from 'typeorm';
import type { CacheStrategy, Provenance } from '../model/cache-strategy.js';
import {
  configurationSchema,
  type StrategyConfiguration,
  type StrategyStatus,
  type StrategyType,
} from '../model/strategy.schemas.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly type: StrategyType;
  readonly status: StrategyStatus;
  readonly resume_status: 'active' | 'disabled' | null;
  readonly configuration: unknown;
  readonly provenance: Provenance;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_optimized: Date | null;
}

export interface NewStrategy {
  readonly name: string;
  readonly type: StrategyType;
  readonly configuration: StrategyConfiguration;
  readonly provenance: Provenance;
}

/** What is undefined stays as it is. */
export interface StrategyUpdate {
  readonly status?: 'active' | 'disabled' | undefined;
  readonly configuration?: StrategyConfiguration | undefined;
  readonly provenance?: Provenance | undefined;
  readonly lastOptimized?: Date | undefined;
}

const COLUMNS = `id, name, type, status, resume_status, configuration, provenance, version,
  created_at, updated_at, last_optimized`;

/** The table of strategies. Every change raises the version of its row. */
@Injectable()
export class StrategyRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async all(): Promise<CacheStrategy[]> {
    return (await this.rows(`SELECT ${COLUMNS} FROM cache_strategy ORDER BY name`)).map(toStrategy);
  }

  async find(id: string): Promise<CacheStrategy | undefined> {
    return this.one(`SELECT ${COLUMNS} FROM cache_strategy WHERE id = $1`, [id]);
  }

  /** Undefined when the name is taken. */
  async insert({ name, type, configuration, provenance }: NewStrategy) {
    const now = this.clock.now();
    return this.one(
      `INSERT INTO cache_strategy
         (id, name, type, status, configuration, provenance, created_at, updated_at)
       VALUES ($1, $2, $3, 'active', $4, $5, $6, $6)
       ON CONFLICT (name) DO NOTHING
       RETURNING ${COLUMNS}`,
      [newId(), name, type, JSON.stringify(configuration), JSON.stringify(provenance), now],
    );
  }

  /** Undefined when the strategy is not there, or has another version. */
  async update(id: string, version: number, change: StrategyUpdate) {
    return this.one(
      `UPDATE cache_strategy SET
         status = CASE WHEN status = 'optimizing' THEN status ELSE coalesce($3, status) END,
         resume_status = CASE WHEN status = 'optimizing' THEN coalesce($3, resume_status) END,
         configuration = coalesce($4, configuration),
         provenance = coalesce($5, provenance),
         last_optimized = coalesce($6, last_optimized),
         version = version + 1,
         updated_at = $7
       WHERE id = $1 AND version = $2
       RETURNING ${COLUMNS}`,
      [
        id,
        version,
        change.status ?? null,
        change.configuration === undefined ? null : JSON.stringify(change.configuration),
        change.provenance === undefined ? null : JSON.stringify(change.provenance),
        change.lastOptimized ?? null,
        this.clock.now(),
      ],
    );
  }

  /** Marks the strategy as being optimised, for so long; undefined when it is already. */
  async beginOptimising(id: string, leaseMs: number) {
    const now = this.clock.now();
    return this.one(
      `UPDATE cache_strategy SET
         resume_status = status, resume_configuration = configuration, status = 'optimizing',
         optimizing_until = $2,
         version = version + 1, updated_at = $3
       WHERE id = $1 AND status <> 'optimizing'
       RETURNING ${COLUMNS}`,
      [id, new Date(now.getTime() + leaseMs), now],
    );
  }

  /** Says that the process which optimises the strategy still lives. */
  async extendOptimising(id: string, leaseMs: number): Promise<void> {
    await this.rows(
      `UPDATE cache_strategy SET optimizing_until = $2 WHERE id = $1 AND status = 'optimizing'`,
      [id, new Date(this.clock.nowMs() + leaseMs)],
    );
  }

  /** Gives the strategy its status back. */
  async endOptimising(id: string) {
    return this.one(
      `UPDATE cache_strategy SET
         status = resume_status, resume_status = NULL, resume_configuration = NULL,
         optimizing_until = NULL, version = version + 1, updated_at = $2
       WHERE id = $1 AND status = 'optimizing'
       RETURNING ${COLUMNS}`,
      [id, this.clock.now()],
    );
  }

  /** The same for all whose process has died meanwhile, without what it had tried. */
  async endAbandoned(): Promise<number> {
    const rows = await this.rows(
      `UPDATE cache_strategy SET
         status = resume_status, resume_status = NULL, optimizing_until = NULL,
         configuration = coalesce(resume_configuration, configuration),
         resume_configuration = NULL, version = version + 1, updated_at = $1
       WHERE status = 'optimizing' AND optimizing_until < $1
       RETURNING ${COLUMNS}`,
      [this.clock.now()],
    );
    return rows.length;
  }

  async delete(id: string): Promise<boolean> {
    const rows = await this.rows(`DELETE FROM cache_strategy WHERE id = $1 RETURNING ${COLUMNS}`, [
      id,
    ]);
    return rows.length > 0;
  }

  private async one(sql: string, values: readonly unknown[]): Promise<CacheStrategy | undefined> {
    const [row] = await this.rows(sql, values);
    return row === undefined ? undefined : toStrategy(row);
  }

  private async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const result: unknown = await this.dataSource.query(sql, [...values]);
    // An UPDATE or DELETE gives its rows and their number.
    const isCounted = Array.isArray(result) && result.length === 2 && Array.isArray(result[0]);
    return (isCounted ? result[0] : result) as Row[];
  }
}

function toStrategy(row: Row): CacheStrategy {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    status: row.status,
    resumeStatus: row.resume_status,
    // Parts that a later version has added get their defaults.
    configuration: configurationSchema.parse(row.configuration),
    provenance: row.provenance,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastOptimized: row.last_optimized,
  };
}
