import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { eventChannel, ManualClock } from '#libs/core';
import { logLinesDropped, requestFailed } from '#libs/logging';
import { Metrics, metricsSettings } from './index.js';

let metrics: Metrics;

beforeEach(() => {
  metrics = new Metrics(new SettingsStore([metricsSettings]), new ManualClock(), 'test');
});

afterEach(() => metrics.onModuleDestroy());

async function exposed(): Promise<string[]> {
  return (await metrics.expose()).text.split('\n');
}

function publish(channel: string, event: unknown): void {
  eventChannel<unknown>(channel).publish(() => event);
}

describe('what libs publish', () => {
  it('becomes metrics of jobs', async () => {
    const job = { job: 'mail', queue: 'default', id: '1' };
    const run = { ...job, attempt: 1, durationMs: 20, waitMs: 300 };
    publish('pantheon.jobs.event', { ...job, type: 'enqueued' });
    publish('pantheon.jobs.event', { ...run, type: 'failed', code: 'X', willRetry: true });
    publish('pantheon.jobs.event', { ...run, type: 'failed', code: 'X', willRetry: false });
    publish('pantheon.jobs.event', { ...run, type: 'completed', waitMs: null });
    publish('pantheon.jobs.event', { ...job, type: 'stalled' });
    publish('pantheon.jobs.expired-rows-purged', { 'http.idempotency_key': 12 });
    const lines = await exposed();
    for (const event of ['enqueued', 'retried', 'failed', 'completed', 'stalled']) {
      expect(lines).toContain(`jobs_total{queue="default",job="mail",event="${event}"} 1`);
    }
    expect(lines).toContain('job_duration_seconds_count{queue="default",job="mail"} 3');
    expect(lines).toContain('job_wait_seconds_count{queue="default"} 2');
    expect(lines).toContain('expired_rows_purged_total{owner="http.idempotency_key"} 12');
  });

  it('becomes metrics of the log, requests, accounts, contexts and settings', async () => {
    logLinesDropped.publish(() => ({ lines: 5, reason: 'buffer-full' }));
    requestFailed.publish(() => ({ status: 404, code: 'NOT_FOUND', requestId: 'r' }));
    publish('pantheon.auth', { type: 'login', outcome: 'failed', address: '10.0.0.1' });
    publish('pantheon.context.source-changed', { sourceId: 's', change: 'entries' });
    publish('pantheon.context.warning', { code: 'CONTEXT_SOURCE_FAILED', message: '' });
    publish('pantheon.config.changed', [{}, {}]);
    publish('pantheon.persistence.embedded-postgres', { kind: 'died', pid: 1, reason: '' });
    const lines = await exposed();
    expect(lines).toEqual(
      expect.arrayContaining([
        'log_lines_dropped_total{reason="buffer-full"} 5',
        'http_errors_total{code="NOT_FOUND"} 1',
        'auth_events_total{type="login",outcome="failed"} 1',
        'context_source_changes_total{change="entries"} 1',
        'context_warnings_total{code="CONTEXT_SOURCE_FAILED"} 1',
        'config_changes_total 2',
        'embedded_postgres_events_total{kind="died"} 1',
      ]),
    );
  });

  it('is listened to no more when the application has closed', () => {
    metrics.onModuleDestroy();
    expect(logLinesDropped.hasSubscribers).toBe(false);
    expect(requestFailed.hasSubscribers).toBe(false);
  });

  it('stays below 2,000 series whatever comes in', async () => {
    for (let at = 0; at < 5_000; at += 1) {
      metrics.http.record({
        route: `/r${at}`,
        method: 'GET',
        status: 200 + (at % 350),
        durationMs: at,
        userId: `u${at}`,
      });
      metrics.http.recordError(`CODE_${at}`);
      const job = { job: `j${at}`, queue: `q${at}`, id: '1', durationMs: 1, waitMs: 1 };
      publish('pantheon.jobs.event', { ...job, type: 'completed' });
      publish('pantheon.auth', { type: `t${at}` });
      publish('pantheon.context.warning', { code: `C${at}` });
    }
    const series = (await exposed()).filter((line) => line !== '' && !line.startsWith('#'));
    expect(series.length).toBeGreaterThan(1_000);
    expect(series.length).toBeLessThan(2_000);
  });
});
