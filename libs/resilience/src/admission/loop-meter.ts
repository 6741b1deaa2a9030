import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Part of a new reading that is taken over. */
const SMOOTHING = 0.3;

/** How busy the event loop is, and how long its turns take. Costs nothing until it is asked. */
export class LoopMeter {
  private utilization: EventLoopUtilization = performance.eventLoopUtilization();
  private smoothedMs = 0;
  private isProbing = false;

  /** Smoothed time of a turn with work in it, by the last probes. */
  get delayMs(): number {
    return this.smoothedMs;
  }

  /** Part of the time since the last call that the loop did not wait for something to do. */
  busy(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    return utilization;
  }

  /** Measures one turn from its end to the end of the next one. */
  probe(): void {
    if (this.isProbing) return;
    this.isProbing = true;
    setImmediate(() => {
      const startedMs = performance.now();
      setImmediate(() => {
        this.isProbing = false;
        this.smoothedMs += (performance.now() - startedMs - this.smoothedMs) * SMOOTHING;
      });
    });
  }
}
