import { BackgroundTasks, type Clock, eventChannel } from '#libs/core';
import { currentContext } from '#libs/logging';
import {
  type StatementCall,
  type StatementEnd,
  StatementObserver,
} from '../statements/statement-observer.js';
import { QueryGrammar } from './query-grammar.js';
import { QueryStatistics, type WorstExecution } from './query-statistics.js';
import { redactParameters, redactPlan } from './redact-parameters.js';

/** A query that took longer than the threshold; it was answered all the same. */
export interface SlowQuery {
  readonly fingerprint: string;
  /** Without literals. */
  readonly query: string;
  readonly durationMs: number;
  readonly route: string | undefined;
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  /** Without anything that is personal or secret. */
  readonly parameters: readonly unknown[];
  readonly failed: boolean;
}

/** Published for every slow query, shortly after its end. */
export const slowQueries = eventChannel<SlowQuery>('pantheon.persistence.slow-query');

/** The executions of one fingerprint. */
export interface QueryReport {
  readonly fingerprint: string;
  readonly query: string;
  readonly calls: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  readonly slow: number;
  readonly lastAt: string;
  readonly routes: Readonly<Record<string, number>>;
  readonly worst: WorstExecution | null;
}

export interface QueryRecorderOptions {
  readonly clock: Clock;
  /** Asked each time, so that it can change. */
  readonly thresholdMs: () => number;
  /** Gives the plan of a statement without executing it. */
  readonly explain: (text: string, values: readonly unknown[]) => Promise<unknown>;
}

/** Texts that are known at once; the ones called least are forgotten first. */
const MAX_TEXTS = 1_000;
const NOT_RECORDED =
  /^\s*(?:explain|deallocate|begin|start|commit|rollback|savepoint|release|set)\b/i;
/** A plan is asked for again when a query gets so much slower than its worst so far. */
const MUCH_SLOWER = 1.2;

/** Counts every query by its text, and looks closer at the slow ones. */
export class QueryRecorder extends StatementObserver {
  /** Queries since the start, failed ones too. */
  total = 0;
  private texts = new Map<string, QueryStatistics>();
  private readonly grammar = new QueryGrammar();
  private readonly background = new BackgroundTasks(() => undefined);
  private isExplaining = false;

  constructor(private readonly options: QueryRecorderOptions) {
    super();
  }

  started(call: StatementCall): StatementEnd | undefined {
    const context = currentContext();
    return ({ durationMs, rowCount, error }) => {
      this.total += 1;
      const { text } = call;
      let query = this.texts.get(text);
      if (query === undefined) {
        if (NOT_RECORDED.test(text)) return;
        query = this.add(text);
      }
      query.record(durationMs, rowCount ?? 0, error !== undefined, context?.route);
      query.lastAtMs = this.options.clock.nowMs();
      if (durationMs < this.options.thresholdMs()) return;
      query.slow += 1;
      this.lookCloser(query, call, durationMs, error !== undefined, context);
    };
  }

  /** Every query by fingerprint, in no order. */
  async report(): Promise<QueryReport[]> {
    const byFingerprint = new Map<string, { shown: string; sum: QueryStatistics }>();
    for (const query of this.texts.values()) {
      const { fingerprint, normalized } = await this.grammar.shapeOf(query.text);
      let group = byFingerprint.get(fingerprint);
      if (group === undefined) {
        group = { shown: normalized, sum: new QueryStatistics(query.text) };
        byFingerprint.set(fingerprint, group);
      }
      group.sum.add(query);
    }
    return [...byFingerprint].map(([fingerprint, { shown, sum }]) => ({
      fingerprint,
      query: shown,
      calls: sum.calls,
      errors: sum.errors,
      rows: sum.rows,
      totalMs: sum.totalMs,
      meanMs: sum.totalMs / sum.calls,
      p95Ms: Math.min(sum.maxMs, sum.latencies.percentile(0.95)),
      maxMs: sum.maxMs,
      slow: sum.slow,
      lastAt: new Date(sum.lastAtMs).toISOString(),
      routes: Object.fromEntries(sum.routes),
      worst: sum.worst,
    }));
  }

  /** Forgets what was counted, to measure from now on. */
  reset(): void {
    this.texts = new Map();
  }

  /** Resolves when nothing is looked at any more. */
  drain(): Promise<void> {
    return this.background.drain();
  }

  private add(text: string): QueryStatistics {
    if (this.texts.size >= MAX_TEXTS) this.forgetRare();
    const query = new QueryStatistics(text);
    this.texts.set(text, query);
    return query;
  }

  private forgetRare(): void {
    const byCalls = [...this.texts.values()].sort((a, b) => b.totalMs - a.totalMs);
    this.texts = new Map(byCalls.slice(0, MAX_TEXTS / 2).map((query) => [query.text, query]));
  }

  private lookCloser(
    query: QueryStatistics,
    { text, values }: StatementCall,
    durationMs: number,
    failed: boolean,
    context: ReturnType<typeof currentContext>,
  ): void {
    const parameters = redactParameters(text, values);
    const isWorst = durationMs > (query.worst?.durationMs ?? 0) * MUCH_SLOWER;
    const worst: WorstExecution = {
      durationMs,
      at: this.options.clock.now().toISOString(),
      route: context?.route ?? null,
      requestId: context?.requestId ?? null,
      parameters,
      plan: query.worst?.plan ?? null,
    };
    if (isWorst) query.worst = worst;
    this.background.run(async () => {
      const { fingerprint, normalized } = await this.grammar.shapeOf(text);
      slowQueries.publish(() => ({
        fingerprint,
        query: normalized,
        durationMs,
        route: context?.route,
        requestId: context?.requestId,
        traceId: context?.trace?.traceId,
        parameters,
        failed,
      }));
      // One at a time: a database that is slow for everybody must not get work on top.
      if (!isWorst || this.isExplaining) return;
      this.isExplaining = true;
      try {
        worst.plan = redactPlan(await this.options.explain(text, values));
      } catch {
        // A statement that cannot be explained, or a database that is away: no plan then.
      } finally {
        this.isExplaining = false;
      }
    });
  }
}
