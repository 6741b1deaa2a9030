import type { Counter, CounterFamily } from '../families/counter-family.js';
import type { DurationFamily, DurationRecorder } from '../families/duration-family.js';
import { OTHER, type SlottedMetric } from '../families/metric.js';
import type { MetricRegistry } from '../metric-registry.js';
import { KEPT_SLOTS, SlotRing, type WINDOWS } from '../sketch/time-slots.js';
import { RecentUsers } from './recent-users.js';

export interface HttpMetricsOptions {
  readonly maxHttpLabelSets: number;
  readonly maxHttpStatusSets: number;
  readonly maxErrorCodes: number;
  readonly maxTrackedUsers: number;
}

/** What a finished request was. */
export interface FinishedRequest {
  /** Template; undefined when no route matched. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
  /** Undefined for a stream that ends when its reader leaves: it says nothing of our speed. */
  readonly durationMs: number | undefined;
  readonly userId: string | undefined;
}

type Window = (typeof WINDOWS)[number];

/** The route of requests that no route matched, whatever their path. */
export const UNMATCHED = '<unmatched>';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** What has been looked up for a route and method, so that a request costs array accesses. */
interface RouteCell {
  readonly byClass: (DurationRecorder | undefined)[];
  readonly byStatus: Map<number, Counter>;
}

/** Rate, errors and durations of HTTP requests by route template, method and status. */
export class HttpMetrics implements SlottedMetric {
  readonly durations: DurationFamily<'route' | 'method' | 'status_class'>;
  readonly users: RecentUsers;
  private readonly requests: CounterFamily<'route' | 'method' | 'status'>;
  private readonly errors: CounterFamily<'code'>;
  private readonly cells = new Map<string, Map<string, RouteCell>>();
  private readonly errorsBySlot = new SlotRing<Map<string, number>>();
  private readonly peaks = new SlotRing<number>();
  private inFlightNow = 0;
  private startedSoFar = 0;

  constructor(registry: MetricRegistry, options: HttpMetricsOptions) {
    this.durations = registry.durations({
      name: 'http_request_duration_seconds',
      help: 'Duration of HTTP requests by route template, method and class of status',
      labels: ['route', 'method', 'status_class'],
      maxLabelSets: options.maxHttpLabelSets,
    });
    this.requests = registry.counter({
      name: 'http_requests_total',
      help: 'HTTP requests by route template, method and status',
      labels: ['route', 'method', 'status'],
      maxLabelSets: options.maxHttpStatusSets,
    });
    this.errors = registry.counter({
      name: 'http_errors_total',
      help: 'HTTP requests answered with a problem, by its code',
      labels: ['code'],
      maxLabelSets: options.maxErrorCodes,
    });
    registry.gauge('http_requests_in_flight', 'HTTP requests under way', () => this.inFlight);
    this.users = new RecentUsers(options.maxTrackedUsers);
    registry.addSlotted(this);
  }

  get inFlight(): number {
    return this.inFlightNow;
  }

  /** Requests that have come since the start of the process. */
  get startedTotal(): number {
    return this.startedSoFar;
  }

  started(): void {
    this.startedSoFar += 1;
    this.inFlightNow += 1;
    if (this.inFlightNow > (this.peaks.current ?? 0)) this.peaks.current = this.inFlightNow;
  }

  finished(): void {
    this.inFlightNow -= 1;
  }

  record({ route, method, status, durationMs, userId }: FinishedRequest): void {
    const cell = this.cellOf(route ?? UNMATCHED, METHODS.has(method) ? method : OTHER);
    if (durationMs !== undefined) {
      const statusClass = Math.trunc(status / 100);
      const recorder =
        cell.byClass[statusClass] ?? this.recorderOf(cell, route, method, statusClass);
      recorder.record(durationMs);
    }
    (cell.byStatus.get(status) ?? this.counterOf(cell, route, method, status)).value += 1;
    if (userId !== undefined) this.users.seen(userId);
  }

  /** Counts an answered problem by its code. */
  recordError(code: string): void {
    const counted = this.errors.of(code);
    counted.increment();
    const bySlot = (this.errorsBySlot.current ??= new Map());
    // The overflow of the family bounds the slots as well.
    const shown = counted.labels['code'] ?? OTHER;
    bySlot.set(shown, (bySlot.get(shown) ?? 0) + 1);
  }

  advance(slots: number): void {
    this.errorsBySlot.advance(slots);
    this.peaks.advance(slots);
    this.peaks.current = this.inFlightNow;
    this.users.advance(slots);
  }

  /** Problems answered in a window, by code, the most frequent first. */
  errorsIn({ slots }: Window): Readonly<Record<string, number>> {
    const byCode = new Map<string, number>();
    for (let age = 0; age < slots; age += 1) {
      for (const [code, count] of this.errorsBySlot.at(age) ?? []) {
        byCode.set(code, (byCode.get(code) ?? 0) + count);
      }
    }
    return Object.fromEntries([...byCode].sort(([, one], [, other]) => other - one));
  }

  /** Most requests under way at one time in a window. */
  peakInFlight({ slots }: Window): number {
    let peak = this.inFlightNow;
    for (let age = 0; age < Math.min(slots, KEPT_SLOTS); age += 1) {
      peak = Math.max(peak, this.peaks.at(age) ?? 0);
    }
    return peak;
  }

  private cellOf(route: string, method: string): RouteCell {
    let byMethod = this.cells.get(route);
    if (byMethod === undefined) {
      byMethod = new Map();
      this.cells.set(route, byMethod);
    }
    let cell = byMethod.get(method);
    if (cell === undefined) {
      cell = { byClass: [], byStatus: new Map() };
      byMethod.set(method, cell);
    }
    return cell;
  }

  private recorderOf(
    cell: RouteCell,
    route: string | undefined,
    method: string,
    statusClass: number,
  ): DurationRecorder {
    const shownMethod = METHODS.has(method) ? method : OTHER;
    const recorder = this.durations.of(route ?? UNMATCHED, shownMethod, `${statusClass}xx`);
    cell.byClass[statusClass] = recorder;
    return recorder;
  }

  private counterOf(
    cell: RouteCell,
    route: string | undefined,
    method: string,
    status: number,
  ): Counter {
    const shownMethod = METHODS.has(method) ? method : OTHER;
    const counter = this.requests.of(route ?? UNMATCHED, shownMethod, String(status));
    cell.byStatus.set(status, counter);
    return counter;
  }
}
