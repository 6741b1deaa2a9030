import { statfs } from 'node:fs/promises';
import { EventLoopDelayMonitor } from '#libs/metrics';
import type { MemoryWatch } from '#libs/resilience';
import { HealthComponent, type HealthFinding } from '../health-component.js';

/** Whether the disk has room. */
export class DiskComponent extends HealthComponent {
  readonly name = 'disk';
  readonly required = false;

  constructor(
    private readonly path: string,
    private readonly minFreeBytes: () => number,
  ) {
    super();
  }

  async check(): Promise<HealthFinding> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize >= this.minFreeBytes()
      ? { healthy: true }
      : { healthy: false, code: 'DISK_SPACE_LOW' };
  }
}

/** Whether the process stays clear of the limit of its memory that is nearest. */
export class MemoryComponent extends HealthComponent {
  readonly name = 'memory';
  readonly required = false;

  constructor(
    private readonly watch: MemoryWatch,
    private readonly maxRatio: () => number,
  ) {
    super();
  }

  check(): Promise<HealthFinding> {
    // There is none before the first reading.
    const [nearest] = this.watch.state.bounds;
    const isClear =
      nearest === undefined || nearest.usedBytes <= this.maxRatio() * nearest.limitBytes;
    return Promise.resolve(
      isClear ? { healthy: true } : { healthy: false, code: 'MEMORY_NEAR_LIMIT' },
    );
  }
}

/** Whether the event loop turned in time since the check before the last. */
export class EventLoopComponent extends HealthComponent {
  readonly name = 'eventLoop';
  readonly required = false;
  private readonly delay = new EventLoopDelayMonitor();

  constructor(private readonly maxDelayMs: () => number) {
    super();
  }

  check(): Promise<HealthFinding> {
    const isInTime = this.delay.read().p99Ms <= this.maxDelayMs();
    return Promise.resolve(
      isInTime ? { healthy: true } : { healthy: false, code: 'EVENT_LOOP_DELAYED' },
    );
  }

  override close(): Promise<void> {
    this.delay.close();
    return Promise.resolve();
  }
}
