import { setImmediate } from 'node:timers/promises';

const TURN_MS = 8;

/**
 * Lets the event loop turn in the middle of a long computation that must stay in this thread:
 * `if (turns.isOver) await turns.giveWay()` between pieces of work, which should be short.
 */
export class Turns {
  private endsAtMs: number;

  constructor(private readonly turnMs = TURN_MS) {
    this.endsAtMs = performance.now() + turnMs;
  }

  /** Whether others have waited for long enough. */
  get isOver(): boolean {
    return performance.now() >= this.endsAtMs;
  }

  /** Resolves when others had their turn. */
  async giveWay(): Promise<void> {
    await setImmediate();
    this.endsAtMs = performance.now() + this.turnMs;
  }
}
