import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { RootLogger } from '#libs/logging';
import { Metrics } from '#libs/metrics';
import { DataSource } from 'typeorm';
import { connectedPoolOf, poolOf } from '../data-source.js';
import { persistenceSettings } from '../persistence.settings.js';
import { advisePoolSize, type PoolSizeAdvice } from './pool-advice.js';
import { poolEvents } from './pool.events.js';
import type { PoolCounts, PoolDemand, Times } from './pool-monitor.js';
import type { PlatformPool } from './platform-pool.js';

/** The state of the pool of this process. */
export interface PoolReport {
  readonly size: number;
  readonly open: number;
  readonly idle: number;
  readonly busy: number;
  readonly waiting: number;
  readonly maxWaiting: number;
  readonly counts: PoolCounts;
  readonly wait: Times;
  readonly hold: Times;
  readonly demand: PoolDemand;
  readonly advice: PoolSizeAdvice;
  readonly statements: { readonly known: number; readonly optedOut: readonly string[] };
}

/** Keeps the pool of a process at its size, tells its figures, and logs what goes wrong with it. */
@Injectable()
export class PoolOverseer implements OnModuleInit, OnApplicationShutdown {
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
    private readonly log: RootLogger,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    if (this.unsubscribe.length > 0) return;
    const log = this.log.module('database');
    this.unsubscribe.push(
      poolEvents.subscribe((event) => {
        const { type, ...fields } = event;
        if (type === 'leaked-transaction') {
          log.error('A connection came back inside a transaction and was closed', fields);
        } else if (type === 'does-not-answer') {
          log.error('The database does not answer; callers are turned away at once');
        } else if (type === 'answers-again') log.info('The database answers again');
        else log.warn(`A caller got no connection: ${type}`, fields);
      }),
      this.settings.onChange(() => {
        const { poolSize } = this.settings.get(persistenceSettings);
        if (this.pool !== undefined && this.pool.options.max !== poolSize) {
          this.pool.resize(poolSize);
        }
      }),
    );
    this.addMetrics();
  }

  onApplicationShutdown(): void {
    for (const unsubscribe of this.unsubscribe.splice(0)) unsubscribe();
  }

  /** @throws DatabaseError DATABASE_UNAVAILABLE while the database is not connected */
  report(): PoolReport {
    const pool = connectedPoolOf(this.dataSource);
    const settings = this.settings.get(persistenceSettings);
    const size = pool.options.max;
    const { monitor, statements } = pool;
    const demand = monitor.demand();
    const wait = monitor.waitTimes;
    return {
      size,
      open: pool.totalCount,
      idle: pool.idleCount,
      busy: pool.totalCount - pool.idleCount,
      waiting: pool.waitingCount,
      maxWaiting: settings.maxWaiting,
      counts: { ...monitor.counts },
      wait,
      hold: monitor.holdTimes,
      demand,
      advice: advisePoolSize(size, demand, wait, {
        min: settings.poolSizeMin,
        max: settings.poolSizeMax,
      }),
      statements: {
        known: statements.size,
        optedOut: statements.optedOut(Date.now()).map(({ text }) => text),
      },
    };
  }

  /** Takes over what is advised, for the life of the process. @returns what it was before */
  applyAdvice(): { readonly before: PoolReport; readonly applied: boolean } {
    const before = this.report();
    const { size, isChange } = before.advice;
    if (isChange) this.settings.overrideAll({ 'database.poolSize': size });
    return { before, applied: isChange };
  }

  private get pool(): PlatformPool | undefined {
    return poolOf(this.dataSource);
  }

  private addMetrics(): void {
    const { registry } = this.metrics;
    registry.total('db_pool_events_total', 'What happened to connections of the pool', () =>
      Object.entries(this.pool?.monitor.counts ?? {}).map(([event, value]) => ({
        labels: { event },
        value,
      })),
    );
    for (const [name, help, times] of [
      ['db_pool_wait_milliseconds', 'How long callers waited for a connection', 'waitTimes'],
      ['db_pool_hold_milliseconds', 'How long connections were held', 'holdTimes'],
    ] as const) {
      registry.gauge(name, `${help}, by quantile since the start`, () => {
        const { p50Ms, p95Ms, p99Ms, maxMs } = this.pool?.monitor[times] ?? NO_TIMES;
        return Object.entries({ '0.5': p50Ms, '0.95': p95Ms, '0.99': p99Ms, '1': maxMs }).map(
          ([quantile, value]) => ({ labels: { quantile }, value }),
        );
      });
    }
    registry.gauge(
      'db_pool_size',
      'Most connections that the pool may open',
      () => this.pool?.options.max,
    );
  }
}

const NO_TIMES = { p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
