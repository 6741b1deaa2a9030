import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, PantheonError } from '#libs/core';
import { CpuWorkers } from '#libs/resilience';
import { DataSource } from 'typeorm';
import type { DatabaseAnalysis, RecommendedIndex } from './analysis/analysis.js';
import { analyseDatabase } from './analysis/analyse-database.js';
import { AnalysisStore } from './analysis/analysis.store.js';
import { readCatalog } from './catalog/read-catalog.js';
import { openPgSession } from './change/open-pg-session.js';
import type { ChangeSession } from './change/change-session.js';
import type { Finding } from './finding.js';
import { indexAdvisorSettings } from './index-advisor.settings.js';
import { type OptimizationReport, optimizeQueries } from './query-advice/optimize-queries.js';
import { topIndexes } from './removal/index-facts.js';
import { adviseSchema } from './schema-advice/advise-schema.js';
import { readSequences } from './schema-advice/read-sequences.js';
import type { AdviceProgress } from './selection/advice.js';
import { selectIn } from './selection/selector.js';
import { RecorderWorkloadSource } from './workload/recorder-source.js';
import { readWorkload } from './workload/read-workload.js';

/** An index that exists, for people. */
export interface CurrentIndex {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly bytes: number;
  readonly scans: number;
  readonly lastScanAt: string | null;
  readonly isUnique: boolean;
  readonly isValid: boolean;
  /** The constraint that needs it. */
  readonly constraint: string | null;
}

/** Advises on the database of the application. */
@Injectable()
export class IndexAdvisor implements OnApplicationShutdown {
  private analysing: Promise<DatabaseAnalysis> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly store: AnalysisStore,
    private readonly recorder: RecorderWorkloadSource,
    private readonly workers: CpuWorkers,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    // Its copy of the statistics is deleted at its end.
    await this.analysing?.catch(() => undefined);
  }

  /** Analyses the database now; callers at the same time share one analysis. */
  analyse(onProgress?: (progress: AdviceProgress) => void): Promise<DatabaseAnalysis> {
    this.analysing ??= this.runAnalysis(onProgress).finally(() => {
      this.analysing = undefined;
    });
    return this.analysing;
  }

  /** The last analysis; the first time one is made. */
  async latest(): Promise<DatabaseAnalysis> {
    return (await this.store.latest()) ?? (await this.analyse());
  }

  async currentIndexes(): Promise<readonly CurrentIndex[]> {
    const catalog = await this.withSession((session) => readCatalog(session));
    return topIndexes(catalog).map(({ index, table }) => ({
      schema: index.schema,
      table: table.name,
      name: index.name,
      definition: index.definition,
      bytes: index.bytes,
      scans: index.activity.scans,
      lastScanAt: index.activity.lastScanAt?.toISOString() ?? null,
      isUnique: index.isUnique,
      isValid: index.isValid,
      constraint: index.constraint?.name ?? null,
    }));
  }

  /** What should be different about tables. */
  async schemaFindings(): Promise<readonly Finding[]> {
    return this.withSession(async (session) => {
      const catalog = await readCatalog(session);
      const sequences = await readSequences(session);
      const { statements } = await readWorkload(session, { sources: [this.recorder] });
      return adviseSchema({ catalog, sequences, statements });
    });
  }

  /** Explains the statements that take most of the time, and refreshes stale statistics. */
  optimizeQueries(limit: number, apply: boolean): Promise<OptimizationReport> {
    return this.withSession(async (connection) => {
      const workload = await readWorkload(connection, { sources: [this.recorder] });
      const statements = workload.statements.slice(0, limit);
      return optimizeQueries({ connection, statements, apply });
    });
  }

  /**
   * Recommended indexes of the last analysis, all or by name.
   * Throws `INDEX_ADVICE_UNKNOWN` for a name that it does not recommend.
   */
  async recommended(names: readonly string[] | undefined): Promise<readonly RecommendedIndex[]> {
    const analysis = await this.store.latest();
    const all = analysis?.recommended ?? [];
    if (names === undefined && analysis !== undefined) return all;
    const wanted = names ?? [];
    const unknown = wanted.filter((name) => !all.some((index) => index.name === name));
    if (analysis === undefined || unknown.length > 0) {
      const message =
        analysis === undefined
          ? 'Nothing was recommended yet: analyse first.'
          : `The last analysis does not recommend ${unknown.join(', ')}.`;
      throw new PantheonError('INDEX_ADVICE_UNKNOWN', message, { kind: 'not-found' });
    }
    return all.filter(({ name }) => wanted.includes(name));
  }

  /** A session of its own on the database of the application. */
  openSession(): Promise<ChangeSession> {
    const { options } = this.dataSource;
    const url = 'url' in options && typeof options.url === 'string' ? options.url : undefined;
    if (url === undefined) throw new TypeError('The data source has no URL.');
    return openPgSession(url);
  }

  private async runAnalysis(onProgress?: (progress: AdviceProgress) => void) {
    const { budgetBytes, timeMs, minStatisticsDays } = this.settings.get(indexAdvisorSettings);
    const analysis = await this.withSession((connection) =>
      analyseDatabase({
        connection,
        sources: [this.recorder],
        budgetBytes,
        timeMs,
        minStatisticsDays,
        clock: this.clock,
        select: selectIn(this.workers),
        ...(onProgress === undefined ? {} : { onProgress }),
      }),
    );
    await this.store.save(analysis);
    return analysis;
  }

  private async withSession<Result>(work: (session: ChangeSession) => Promise<Result>) {
    const session = await this.openSession();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }
}
