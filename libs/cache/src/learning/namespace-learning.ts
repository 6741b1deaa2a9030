import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cache } from '../engine/cache.js';
import type { AccessRecorder } from './access-recorder.js';
import { HotKeys } from './hot-keys.js';
import { HourProfile } from './hour-profile.js';
import type { KeyPredictor } from './key-predictor.js';
import type { Prefetcher } from './prefetcher.js';

/** Reads that are learnt from before others get their turn; about half a millisecond of work. */
const READS_A_TURN = 512;

/** What is recorded and learnt of one namespace. */
export class NamespaceLearning {
  readonly hotKeys = new HotKeys();
  readonly hours = new HourProfile();
  prefetcher: Prefetcher | undefined;
  /** Told of each read that is learnt from; one at a time. */
  onRead: ((key: string) => void) | undefined;
  private next = 0;
  private readsSeen = 0;
  private isLearning = false;

  constructor(
    readonly cache: Cache,
    readonly recorder: AccessRecorder,
    readonly predictor: KeyPredictor,
  ) {
    // A cache that is read more often than that is no longer told, and pays nothing for it.
    recorder.onExhausted = () => {
      if (this.cache.tap === recorder) this.cache.tap = undefined;
    };
  }

  /** Lets reads be recorded again, at most so many. */
  refill(maxReads: number): void {
    if (this.recorder.refill(maxReads) && this.prefetcher === undefined) {
      this.predictor.forgetClients();
    }
    this.prefetcher?.refill(maxReads);
    const isOn = this.recorder.capacity > 0;
    this.cache.tap = this.prefetcher ?? (isOn ? this.recorder : undefined);
  }

  /** Learns from what was recorded since the last time, in turns with other work. */
  async learn(nowMs: number): Promise<void> {
    if (this.isLearning) return;
    this.isLearning = true;
    try {
      // All reads, not only those that were recorded.
      const { reads } = this.cache;
      if (reads > this.readsSeen) this.hours.add(nowMs, reads - this.readsSeen);
      this.readsSeen = reads;
      const { accesses, next, lost } = this.recorder.since(this.next);
      this.next = next;
      if (lost > 0 && this.prefetcher === undefined) this.predictor.forgetClients();
      for (const [index, { key, atMs, client }] of accesses.entries()) {
        if (index % READS_A_TURN === READS_A_TURN - 1) await nextTurn();
        this.hotKeys.add(key, atMs);
        this.onRead?.(key);
        // A prefetcher has told the predictor already.
        if (client !== undefined && this.prefetcher === undefined) {
          this.predictor.observe(client, key, atMs);
        }
      }
    } finally {
      this.isLearning = false;
    }
  }
}
