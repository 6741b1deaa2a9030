import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { RootLogger } from '#libs/logging';
import { ComponentMonitor, type ComponentReport } from './component.monitor.js';
import { HealthComponent } from './health-component.js';
import { healthSettings } from './health.settings.js';

export const HEALTH_COMPONENTS = Symbol('HealthComponents');

/** An answer may wait so long for the very first check, and never for a later one. */
const FIRST_CHECK_WAIT_MS = 80;

/** Watches every component from the start of the application to its end. */
@Injectable()
export class HealthMonitor implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly monitors: readonly ComponentMonitor[];
  private draining = false;
  private readonly onDraining: (() => void)[] = [];

  constructor(
    @Inject(HEALTH_COMPONENTS) components: readonly HealthComponent[],
    store: SettingsStore,
    clock: Clock,
    log: RootLogger,
  ) {
    const { intervalMs, timeoutMs } = store.get(healthSettings);
    const logger = log.module('health');
    const onChange = ({ name, status, code }: ComponentReport): void => {
      // What ends is down, and nobody is to be told.
      if (this.draining) return;
      if (status === 'down') logger.warn('A component is down', { component: name, code });
      else logger.debug('A component is up', { component: name });
    };
    this.monitors = components.map(
      (component) => new ComponentMonitor(component, { intervalMs, timeoutMs, clock, onChange }),
    );
  }

  /** Whether the process has been told to end: it finishes its work, and wants no more. */
  get isDraining(): boolean {
    return this.draining;
  }

  /** Makes the process not ready. The first step of a shutdown, before anything is closed. */
  startDraining(): void {
    this.draining = true;
    for (const listener of this.onDraining) listener();
  }

  /** Calls `listener` when the process is told to end. */
  whenDraining(listener: () => void): void {
    this.onDraining.push(listener);
  }

  /** The last result of every component. */
  reports(): Promise<ComponentReport[]> {
    return Promise.all(this.monitors.map((monitor) => monitor.report(FIRST_CHECK_WAIT_MS)));
  }

  onApplicationBootstrap(): void {
    for (const monitor of this.monitors) monitor.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.monitors.map((monitor) => monitor.stop()));
  }
}
