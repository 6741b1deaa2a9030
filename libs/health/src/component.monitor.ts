import type { Clock } from '#libs/core';
import type { HealthComponent, HealthFinding } from './health-component.js';

export interface MonitorOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Called when a component turns from one finding to another, and at the first. */
  readonly onChange: (report: ComponentReport) => void;
}

/** The last that is known of a component. */
export interface ComponentReport {
  readonly name: string;
  readonly required: boolean;
  readonly status: 'up' | 'down';
  /** Why it is down. */
  readonly code?: string;
  /** ISO time since which the status and code have been the same. */
  readonly since: string;
  readonly checkedAt: string;
  readonly durationMs: number;
}

const NOT_CHECKED = 'HEALTH_NOT_CHECKED_YET';
const TIMED_OUT = 'HEALTH_CHECK_TIMED_OUT';
const FAILED = 'HEALTH_CHECK_FAILED';

/**
 * Checks one component again and again in the background and keeps the last result, so that
 * asking costs nothing and a hanging component cannot hold an answer back. At most one check
 * runs at a time.
 */
export class ComponentMonitor {
  private last: ComponentReport | undefined;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly component: HealthComponent,
    private readonly options: MonitorOptions,
  ) {}

  start(): void {
    void this.refresh();
    this.timer = setInterval(() => void this.refresh(), this.options.intervalMs).unref();
  }

  /** Stops checking and closes the component. May be called twice. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.component.close();
  }

  /** The last result; before there is one, waits for the first up to `maxWaitMs`. */
  async report(maxWaitMs: number): Promise<ComponentReport> {
    if (this.last === undefined) await before(this.refresh(), maxWaitMs);
    return this.last ?? this.describe({ healthy: false, code: NOT_CHECKED }, 0);
  }

  /** Checks now, or joins the check that runs. Never rejects. */
  refresh(): Promise<void> {
    this.running ??= this.check().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async check(): Promise<void> {
    const { clock, timeoutMs, onChange } = this.options;
    const startedAtMs = clock.monotonicMs();
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<HealthFinding>((resolve) => {
      timer = setTimeout(() => {
        controller.abort();
        resolve({ healthy: false, code: TIMED_OUT });
      }, timeoutMs);
    });
    const finding = await Promise.race([this.look(controller.signal), timedOut]);
    clearTimeout(timer);
    const report = this.describe(finding, clock.monotonicMs() - startedAtMs);
    const changed = !this.isSame(finding);
    this.last = report;
    if (changed) onChange(report);
  }

  private async look(signal: AbortSignal): Promise<HealthFinding> {
    try {
      return await this.component.check(signal);
    } catch {
      return { healthy: false, code: FAILED };
    }
  }

  private isSame(finding: HealthFinding): boolean {
    if (finding.healthy) return this.last?.status === 'up';
    return this.last?.code === finding.code;
  }

  private describe(finding: HealthFinding, durationMs: number): ComponentReport {
    const { name, required } = this.component;
    const checkedAt = this.options.clock.now().toISOString();
    const outcome = finding.healthy
      ? ({ status: 'up' } as const)
      : ({ status: 'down', code: finding.code } as const);
    return {
      name,
      required,
      ...outcome,
      since: this.isSame(finding) ? (this.last?.since ?? checkedAt) : checkedAt,
      checkedAt,
      durationMs: Math.round(durationMs * 100) / 100,
    };
  }
}

async function before(work: Promise<void>, maxWaitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, maxWaitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
