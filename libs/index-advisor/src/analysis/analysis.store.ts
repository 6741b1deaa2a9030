import { Injectable } from '@nestjs/common';
import { newId } from '#libs/core';
import { DataSource } from 'typeorm';
import type { DatabaseAnalysis } from './analysis.js';

/** Analyses that are kept. */
const KEPT = 30;

/** Keeps the latest analyses in the database. */
@Injectable()
export class AnalysisStore {
  constructor(private readonly dataSource: DataSource) {}

  async save(analysis: DatabaseAnalysis): Promise<void> {
    await this.dataSource.query(
      'INSERT INTO index_analysis (id, analysed_at, report) VALUES ($1, $2, $3)',
      [newId(), analysis.analysedAt, JSON.stringify(analysis)],
    );
    await this.dataSource.query(
      `DELETE FROM index_analysis WHERE analysed_at < (SELECT analysed_at FROM index_analysis
         ORDER BY analysed_at DESC OFFSET $1 LIMIT 1)`,
      [KEPT - 1],
    );
  }

  async latest(): Promise<DatabaseAnalysis | undefined> {
    const rows = await this.dataSource.query<{ report: DatabaseAnalysis }[]>(
      'SELECT report FROM index_analysis ORDER BY analysed_at DESC LIMIT 1',
    );
    return rows[0]?.report;
  }
}
