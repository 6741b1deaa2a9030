import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks } from '#libs/core';
import { type ModuleLogger, RootLogger } from '#libs/logging';
import { Metrics, MetricsForbiddenError, metricsSettings, mayReadMetrics } from '#libs/metrics';
import { HealthMonitor } from '../health-monitor.js';
import { HealthSummaries } from '../health-summaries.js';
import { healthSettings } from '../health.settings.js';
import type { ScrapeAnswer, ScrapeRequest } from './health-port.messages.js';
import type { HealthThread } from './health-thread.js';

/** Token of the address to listen on when `health.host` is not set. */
export const HEALTH_HOST = Symbol('HealthHost');

/** Keeps the health port open from the start of the application to its end, when there is one. */
@Injectable()
export class HealthPort implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log: ModuleLogger;
  private readonly background: BackgroundTasks;
  private thread: HealthThread | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(HEALTH_HOST) private readonly host: string,
    private readonly store: SettingsStore,
    private readonly monitor: HealthMonitor,
    private readonly summaries: HealthSummaries,
    private readonly metrics: Metrics,
    root: RootLogger,
  ) {
    this.log = root.module('health');
    this.background = new BackgroundTasks((err) => {
      this.log.error('The health port does not hear of the components', { err });
    });
  }

  /** The port; undefined when there is none. */
  get port(): number | undefined {
    return this.thread?.port;
  }

  /** @throws HealthPortTakenError when the port belongs to another process */
  async onApplicationBootstrap(): Promise<void> {
    const { port, host, stallMs, scrapeTimeoutMs, intervalMs } = this.store.get(healthSettings);
    if (port === undefined) return;
    // Threads are loaded only where there is one.
    const { HealthThread } = await import('./health-thread.js');
    const thread = new HealthThread({
      host: host ?? this.host,
      port,
      stallMs,
      scrapeTimeoutMs,
      scrape: (request) => this.scrape(request),
      onDeath: (err) => this.log.error('The thread of the health port ended', { err }),
    });
    await thread.start();
    this.thread = thread;
    this.monitor.whenDraining(() => thread.drain());
    const publish = (): void => {
      this.background.run(async () => thread.publish(await this.summaries.current()));
    };
    publish();
    this.timer = setInterval(publish, intervalMs).unref();
    this.log.info('The health port is open', { port: thread.port });
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.background.drain();
    await this.thread?.close();
  }

  private async scrape(request: ScrapeRequest): Promise<ScrapeAnswer> {
    const { authorization, remoteAddress = '', isForwarded } = request;
    const reader = { authorization, remoteAddress, clientAddress: remoteAddress, isForwarded };
    if (!mayReadMetrics(reader, this.store.get(metricsSettings))) {
      const text = `${new MetricsForbiddenError().message}\n`;
      return { status: 401, contentType: 'text/plain; charset=utf-8', text };
    }
    try {
      const { text, contentType } = await this.metrics.expose();
      return { status: 200, contentType, text };
    } catch (err) {
      this.log.error('The metrics could not be read', { err });
      return {
        status: 500,
        contentType: 'text/plain; charset=utf-8',
        text: 'They cannot be read.\n',
      };
    }
  }
}
