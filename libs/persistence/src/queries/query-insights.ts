import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { RootLogger } from '#libs/logging';
import { Metrics } from '#libs/metrics';
import { DataSource } from 'typeorm';
import { poolOf } from '../data-source.js';
import { persistenceSettings } from '../persistence.settings.js';
import { type NPlusOne, NPlusOneDetector, nPlusOnes } from './n-plus-one.detector.js';
import { QueryRecorder, type QueryReport, slowQueries } from './query-recorder.js';

/** Findings that are kept; the oldest makes room. */
const MAX_FINDINGS = 100;

/** Follows the queries of this process: counts them, logs the slow ones, and finds loops of them. */
@Injectable()
export class QueryInsights implements OnModuleInit, OnApplicationShutdown {
  private readonly recorder: QueryRecorder;
  private readonly loops = new Map<string, NPlusOne>();
  private readonly closing: (() => void)[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
    private readonly log: RootLogger,
    private readonly metrics: Metrics,
    clock: Clock,
  ) {
    this.recorder = new QueryRecorder({
      clock,
      thresholdMs: () => this.settings.get(persistenceSettings).slowQueryMs,
      explain: (text, values) => this.explain(text, values),
    });
  }

  onModuleInit(): void {
    const pool = poolOf(this.dataSource);
    if (pool === undefined || this.closing.length > 0) return;
    const log = this.log.module('database');
    const { registry } = this.metrics;
    registry.total('db_queries_total', 'Queries sent to the database', () => this.recorder.total);
    const slow = registry.counter({
      name: 'db_slow_queries_total',
      help: 'Queries that took longer than database.slowQueryMs',
      labels: ['route'],
    });
    const found = registry.counter({
      name: 'db_n_plus_one_total',
      help: 'Requests that queried row by row',
      labels: ['route'],
    });
    this.closing.push(
      pool.observe(this.recorder),
      pool.observe(
        new NPlusOneDetector(() => this.settings.get(persistenceSettings).nPlusOneShare),
      ),
      slowQueries.subscribe((query) => {
        slow.of(query.route ?? 'none').increment();
        log.warn('A query was slow', { ...query });
      }),
      nPlusOnes.subscribe((finding) => {
        found.of(finding.route ?? 'none').increment();
        if (!this.remember(finding)) return;
        log.warn('A request queried row by row', { ...finding });
      }),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    for (const close of this.closing.splice(0)) close();
    await this.recorder.drain();
  }

  queries(): Promise<QueryReport[]> {
    return this.recorder.report();
  }

  /** Loops of queries that were found, the latest last. */
  nPlusOnes(): NPlusOne[] {
    return [...this.loops.values()];
  }

  reset(): void {
    this.recorder.reset();
    this.loops.clear();
  }

  /** @returns whether it is new */
  private remember(finding: NPlusOne): boolean {
    const key = `${finding.route} ${finding.query} ${finding.site}`;
    const isNew = !this.loops.delete(key);
    this.loops.set(key, finding);
    const [oldest] = this.loops.keys();
    if (this.loops.size > MAX_FINDINGS && oldest !== undefined) this.loops.delete(oldest);
    return isNew;
  }

  /** The plan alone: EXPLAIN without ANALYZE executes nothing. */
  private async explain(text: string, values: readonly unknown[]): Promise<unknown> {
    // After a semicolon another statement might follow, and that one would be executed.
    if (text.includes(';')) return undefined;
    const { rows } = (await poolOf(this.dataSource)?.query({
      text: `EXPLAIN (FORMAT JSON) ${text}`,
      values: [...values],
    })) ?? { rows: [] };
    return (rows[0] as { 'QUERY PLAN'?: unknown } | undefined)?.['QUERY PLAN'];
  }
}
