import { eventChannel } from '#libs/core';
import { logLinesDropped, requestFailed } from '#libs/logging';
import type { HttpMetrics } from './http/http-metrics.js';
import type { MetricRegistry } from './metric-registry.js';

/**
 * Turns what other libs publish into metrics. Upper libs are known here by the names of their
 * channels and the parts of their events that are counted, for nothing is imported upwards.
 */
export function addPlatformEvents(registry: MetricRegistry, http: HttpMetrics): void {
  registry.onEvent(requestFailed, ({ code }) => http.recordError(code));
  const dropped = registry.counter({
    name: 'log_lines_dropped_total',
    help: 'Lines of the log that were lost',
    labels: ['reason'],
  });
  registry.onEvent(logLinesDropped, ({ lines, reason }) => dropped.of(reason).increment(lines));
  addConfig(registry);
  addDatabase(registry);
  addJobs(registry);
  addAuth(registry);
  addContext(registry);
}

function addConfig(registry: MetricRegistry): void {
  const changes = registry.counter({
    name: 'config_changes_total',
    help: 'Settings that changed at run time',
  });
  registry.onEvent(eventChannel<readonly unknown[]>('pantheon.config.changed'), (changed) =>
    changes.of().increment(changed.length),
  );
}

function addDatabase(registry: MetricRegistry): void {
  const events = registry.counter({
    name: 'embedded_postgres_events_total',
    help: 'Starts, deaths, restarts and stops of the embedded PostgreSQL',
    labels: ['kind'],
  });
  registry.onEvent(
    eventChannel<{ readonly kind: string }>('pantheon.persistence.embedded-postgres'),
    ({ kind }) => events.of(kind).increment(),
  );
}

interface JobEvent {
  readonly type: 'enqueued' | 'completed' | 'failed' | 'stalled';
  readonly job: string;
  readonly queue: string;
  readonly durationMs?: number;
  readonly waitMs?: number | null;
  readonly willRetry?: boolean;
}

function addJobs(registry: MetricRegistry): void {
  const labels = ['queue', 'job'] as const;
  const events = registry.counter({
    name: 'jobs_total',
    help: 'Jobs by what happened to them: enqueued, completed, retried, failed, stalled',
    labels: [...labels, 'event'],
    maxLabelSets: 100,
  });
  const durations = registry.durations({
    name: 'job_duration_seconds',
    help: 'Duration of a run of a job',
    labels,
    maxLabelSets: 12,
  });
  const waits = registry.durations({
    name: 'job_wait_seconds',
    help: 'Time from when a job could have started to its first run',
    labels: ['queue'],
    maxLabelSets: 5,
  });
  registry.onEvent(eventChannel<JobEvent>('pantheon.jobs.event'), (event) => {
    const { type, queue, job, durationMs, waitMs } = event;
    const isRetry = type === 'failed' && event.willRetry === true;
    events.of(queue, job, isRetry ? 'retried' : type).increment();
    if (durationMs !== undefined) durations.of(queue, job).record(durationMs);
    if (typeof waitMs === 'number') waits.of(queue).record(waitMs);
  });
  const purged = registry.counter({
    name: 'expired_rows_purged_total',
    help: 'Expired rows that were deleted, by owner',
    labels: ['owner'],
  });
  registry.onEvent(
    eventChannel<Readonly<Record<string, number>>>('pantheon.jobs.expired-rows-purged'),
    (report) => {
      for (const [owner, rows] of Object.entries(report)) purged.of(owner).increment(rows);
    },
  );
}

function addAuth(registry: MetricRegistry): void {
  const events = registry.counter({
    name: 'auth_events_total',
    help: 'Logins by outcome, and what else happens to accounts and sessions',
    labels: ['type', 'outcome'],
    maxLabelSets: 20,
  });
  registry.onEvent(
    eventChannel<{ readonly type: string; readonly outcome?: string }>('pantheon.auth'),
    ({ type, outcome }) => events.of(type, outcome ?? '').increment(),
  );
}

function addContext(registry: MetricRegistry): void {
  const changes = registry.counter({
    name: 'context_source_changes_total',
    help: 'Changes of sources: configured, deleted, entries',
    labels: ['change'],
  });
  registry.onEvent(
    eventChannel<{ readonly change: string }>('pantheon.context.source-changed'),
    ({ change }) => changes.of(change).increment(),
  );
  const warnings = registry.counter({
    name: 'context_warnings_total',
    help: 'What made an answer poorer, by code',
    labels: ['code'],
    maxLabelSets: 30,
  });
  registry.onEvent(
    eventChannel<{ readonly code: string }>('pantheon.context.warning'),
    ({ code }) => warnings.of(code).increment(),
  );
}
