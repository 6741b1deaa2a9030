import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** What admission sees of an event loop, and asks of it. */
export abstract class EventLoop {
  /** Smoothed time of a turn, by the last probes. */
  abstract readonly turnMs: number;
  /** Part of the time since the last call in which there was something to do. */
  abstract busy(): number;
  /** Measures a turn. */
  abstract probe(): void;
  /** Calls back when what has come in meanwhile was read. */
  abstract nextTurn(call: () => void): void;
  /** Calls back when all is done that the code at hand has started and that needs no input. */
  abstract afterWork(call: () => void): void;
  /** Calls back after some time. @returns how to take that back */
  abstract later(ms: number, call: () => void): () => void;
}

/** Part of a new reading that is taken over. */
const SMOOTHING = 0.3;

/** The event loop of Node. Costs nothing until it is asked. */
export class NodeEventLoop extends EventLoop {
  private utilization: EventLoopUtilization = performance.eventLoopUtilization();
  private smoothedMs = 0;
  private isProbing = false;

  get turnMs(): number {
    return this.smoothedMs;
  }

  busy(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    return utilization;
  }

  /** From the end of a turn to the end of the next one. */
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

  nextTurn(call: () => void): void {
    setImmediate(call);
  }

  /** What needs no input is done in microtasks, and ticks come after all of them. */
  afterWork(call: () => void): void {
    queueMicrotask(() => process.nextTick(call));
  }

  later(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  }
}
