import type { JobsHealth } from '#libs/jobs';
import { HealthComponent, type HealthFinding } from '../health-component.js';

/** Asks whether jobs can be stored. */
export class QueueComponent extends HealthComponent {
  readonly name = 'queue';
  readonly required = false;

  constructor(private readonly jobs: JobsHealth) {
    super();
  }

  async check(): Promise<HealthFinding> {
    const { status } = await this.jobs.check();
    return status === 'up' ? { healthy: true } : { healthy: false, code: 'QUEUE_UNREACHABLE' };
  }
}
