import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time that a computation keeps the event loop from others, about. */
const SLICE_MS = 5;

/** Gives others a turn whenever a slice of time is over. */
export class TimeSlices {
  private endsMs = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() >= this.endsMs;
  }

  async pause(): Promise<void> {
    await nextTurn();
    this.endsMs = performance.now() + SLICE_MS;
  }
}
