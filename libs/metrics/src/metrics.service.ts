import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, PantheonError } from '#libs/core';
import {
  defer,
  exhaustMap,
  finalize,
  type Observable,
  share,
  Subject,
  takeUntil,
  timer,
} from 'rxjs';
import { collectAll } from './collectors.js';
import { HttpMetrics } from './http/http-metrics.js';
import { MetricRegistry } from './metric-registry.js';
import { type MetricsSettings, metricsSettings } from './metrics.settings.js';
import type { MetricsSnapshot, RouteSnapshot } from './metrics-snapshot.js';
import { addPlatformEvents } from './platform-events.js';
import { addProcessMetrics } from './process/process-metrics.js';
import { ProcessSampler } from './process/process-sampler.js';
import { PrometheusExporter } from './prometheus-exporter.js';
import { byWindow, WindowSummarizer } from './window-summary.js';
import type { WindowedSketch } from './sketch/windowed-sketch.js';

/** Names the program whose metrics these are. */
export const METRICS_SERVICE_NAME = Symbol('MetricsServiceName');

const TICK_MS = 1_000;

/** All metrics of the process: takes samples once a second, and tells them to whom asks. */
@Injectable()
export class Metrics implements OnModuleInit, OnModuleDestroy {
  readonly registry: MetricRegistry;
  readonly http: HttpMetrics;
  /** A snapshot each `metrics.streamIntervalMs`, made once for all who listen. */
  readonly snapshots: Observable<MetricsSnapshot>;
  private readonly sampler = new ProcessSampler();
  private readonly exporter: PrometheusExporter;
  private readonly summarizer = new WindowSummarizer();
  private readonly ended = new Subject<void>();
  private tick: NodeJS.Timeout | undefined;
  private streams = 0;

  constructor(
    private readonly store: SettingsStore,
    private readonly clock: Clock,
    @Inject(METRICS_SERVICE_NAME) private readonly service: string,
  ) {
    this.registry = new MetricRegistry(clock.monotonicMs());
    this.http = new HttpMetrics(this.registry, this.settings);
    this.exporter = new PrometheusExporter(
      () => this.registry.metrics,
      () => this.settings.collectorTimeoutMs,
    );
    addProcessMetrics(this.registry, this.sampler);
    addPlatformEvents(this.registry, this.http);
    this.registry.gauge('http_active_users', 'Users seen in a window of time', () =>
      Object.entries(byWindow((window) => this.http.users.countIn(window))).map(
        ([window, value]) => ({ labels: { window }, value }),
      ),
    );
    this.snapshots = defer(() => timer(0, this.settings.streamIntervalMs)).pipe(
      exhaustMap(() => this.snapshot()),
      takeUntil(this.ended),
      share(),
    );
  }

  /** The text that Prometheus scrapes, and its media type. */
  expose(): Promise<{ readonly text: string; readonly contentType: string }> {
    this.advance();
    return this.exporter.expose();
  }

  /** Everything that is known now, over windows of 1, 5 and 15 minutes. */
  async snapshot(): Promise<MetricsSnapshot> {
    this.advance();
    const { figures, unavailable } = await collectAll(
      this.registry.collectors,
      this.settings.collectorTimeoutMs,
    );
    const { total, routes } = this.summarizeRoutes();
    return {
      at: this.clock.now().toISOString(),
      service: this.service,
      uptimeSeconds: Math.round(process.uptime()),
      http: {
        inFlight: this.http.inFlight,
        usersAreAtLeast: this.http.users.isFull,
        windows: total,
      },
      routes,
      figures,
      unavailable,
    };
  }

  /**
   * Snapshots for one more listener, until it leaves or the process ends.
   * @throws PantheonError when there are `metrics.maxStreams` already
   */
  stream(): Observable<MetricsSnapshot> {
    if (this.streams >= this.settings.maxStreams) {
      throw new PantheonError(
        'METRICS_STREAMS_EXHAUSTED',
        `There are ${this.streams} streams of metrics already (metrics.maxStreams).`,
        { kind: 'unavailable', retryAfterSeconds: 10 },
      );
    }
    this.streams += 1;
    return this.snapshots.pipe(
      finalize(() => {
        this.streams -= 1;
      }),
    );
  }

  onModuleInit(): void {
    this.tick = setInterval(() => {
      this.sampler.sample();
      this.advance();
    }, TICK_MS).unref();
  }

  /** Ends the streams, for which a closing server would wait. */
  endStreams(): void {
    this.ended.next();
  }

  /** Before the server waits for its connections. */
  onModuleDestroy(): void {
    clearInterval(this.tick);
    this.endStreams();
    this.sampler.close();
    this.registry.close();
  }

  private get settings(): MetricsSettings {
    return this.store.get(metricsSettings);
  }

  private advance(): void {
    this.registry.advanceTo(this.clock.monotonicMs());
  }

  private summarizeRoutes(): {
    total: MetricsSnapshot['http']['windows'];
    routes: RouteSnapshot[];
  } {
    const byRoute = new Map<string, WindowedSketch[]>();
    const failuresByRoute = new Map<string, WindowedSketch[]>();
    for (const recorder of this.http.durations.recorders()) {
      const { route, method, status_class: statusClass } = recorder.labels;
      const key = `${method} ${route}`;
      append(byRoute, key, recorder);
      if (statusClass === '5xx') append(failuresByRoute, key, recorder);
    }
    const nowMs = this.clock.monotonicMs();
    const { startedAtMs } = this.registry;
    // Failures first: the totals of the summarizer are those of its last call.
    const failures = this.summarizer.summarize(failuresByRoute, nowMs, startedAtMs);
    const failed = failures.groups;
    const all = this.summarizer.summarize(byRoute, nowMs, startedAtMs);
    const routes = [...all.groups].map(([key, windows]): RouteSnapshot => {
      const [method = '', ...route] = key.split(' ');
      return {
        route: route.join(' '),
        method,
        windows: byWindow(({ name }) => ({
          ...windows[name],
          failures: failed.get(key)?.[name].count ?? 0,
        })),
      };
    });
    const total = byWindow((window) => {
      const errors = this.http.errorsIn(window);
      const { count } = all.total[window.name];
      const failuresCount = failures.total[window.name].count;
      return {
        ...all.total[window.name],
        failures: failuresCount,
        failureRatio: count === 0 ? null : Math.round((failuresCount / count) * 1e6) / 1e6,
        errorsByCode: errors,
        users: this.http.users.countIn(window),
        peakInFlight: this.http.peakInFlight(window),
      };
    });
    return { total, routes };
  }
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
