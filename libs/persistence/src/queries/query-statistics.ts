import { LatencyBuckets } from './latency-buckets.js';

/** Routes that a query is remembered for; the rest counts as `other`. */
const MAX_ROUTES = 8;

/** The slowest execution of a query, without anything that is personal. */
export interface WorstExecution {
  readonly durationMs: number;
  /** ISO 8601. */
  readonly at: string;
  readonly route: string | null;
  readonly requestId: string | null;
  readonly parameters: readonly unknown[];
  /** As `EXPLAIN (FORMAT JSON)` says it afterwards; the statement is not executed again. */
  plan: unknown;
}

/** What is known of the executions of one text. */
export class QueryStatistics {
  calls = 0;
  errors = 0;
  totalMs = 0;
  maxMs = 0;
  rows = 0;
  slow = 0;
  worst: WorstExecution | null = null;
  lastAtMs = 0;
  readonly latencies = new LatencyBuckets();
  readonly routes = new Map<string, number>();

  constructor(readonly text: string) {}

  record(ms: number, rows: number, isError: boolean, route: string | undefined): void {
    this.calls += 1;
    this.totalMs += ms;
    this.rows += rows;
    if (ms > this.maxMs) this.maxMs = ms;
    if (isError) this.errors += 1;
    this.latencies.record(ms);
    if (route === undefined) return;
    const known = this.routes.has(route) || this.routes.size < MAX_ROUTES ? route : 'other';
    this.routes.set(known, (this.routes.get(known) ?? 0) + 1);
  }

  /** Adds the executions of a text that has the same fingerprint. */
  add(other: QueryStatistics): void {
    this.calls += other.calls;
    this.errors += other.errors;
    this.totalMs += other.totalMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
    this.rows += other.rows;
    this.slow += other.slow;
    this.lastAtMs = Math.max(this.lastAtMs, other.lastAtMs);
    this.latencies.add(other.latencies);
    for (const [route, calls] of other.routes) {
      this.routes.set(route, (this.routes.get(route) ?? 0) + calls);
    }
    if ((other.worst?.durationMs ?? 0) > (this.worst?.durationMs ?? 0)) this.worst = other.worst;
  }
}
