import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BackgroundTasks, Clock } from '#libs/core';
import type { AccessTap } from '../engine/access-tap.js';
import type { Cache } from '../engine/cache.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { type AccessRecorder, exactMs } from './access-recorder.js';
import type { KeyPredictor } from './key-predictor.js';
import type { KeySource } from './key-source.js';
import type { ResolvedPrefetchOptions } from './prefetch.options.js';
import { PrefetchLedger } from './prefetch-ledger.js';

/** Part of what is loaded ahead that should be read; below it the least confidence rises. */
const USEFUL_SHARE = 0.6;
const MAX_CONFIDENCE = 0.97;
const STEP = 0.02;
/** Keys that were not likely enough lower the bar a little, so that it comes down when it has stopped everything. */
const RELAX = 0.0005;

export interface PrefetcherParts {
  readonly cache: Cache;
  readonly recorder: AccessRecorder;
  readonly predictor: KeyPredictor;
  readonly source: KeySource;
  readonly clock: Clock;
  readonly tasks: BackgroundTasks;
  readonly options: ResolvedPrefetchOptions;
  readonly clientOf: () => string | undefined;
  /** The one switch for all. */
  readonly isEnabled: () => boolean;
}

/** What prefetching has done in a namespace since the start of the process. */
export interface PrefetchCounts {
  readonly started: number;
  /** Read in time. */
  readonly used: number;
  /** Not read in time, or gone before it was read, or failed. */
  readonly wasted: number;
  /** Likely enough and not loaded, by reason. */
  readonly skipped: { readonly budget: number; readonly busy: number; readonly unknown: number };
  readonly failed: number;
  /** Loaded ahead and not read yet. */
  readonly pending: number;
  /** Least confidence at present. */
  readonly confidence: number;
}

/**
 * Loads the keys of a namespace that a client is likely to read next, behind its reads and within a
 * budget. How likely a key must be adapts, so that most of what is loaded ahead is read.
 *
 * It follows the reads in the context of their caller, and loads in that context too: what a loader
 * does for somebody, it does for the one who is about to ask.
 */
export class Prefetcher implements AccessTap {
  private readonly ledger: PrefetchLedger;
  private readonly skipped = { budget: 0, busy: 0, unknown: 0 };
  private started = 0;
  private failed = 0;
  private running = 0;
  private tokens: number;
  private refilledMs: number;
  private confidence: number;
  private readsLeft = Number.POSITIVE_INFINITY;

  constructor(private readonly parts: PrefetcherParts) {
    const { options, clock } = parts;
    this.ledger = new PrefetchLedger(options.usefulWithinMs, (isUsed) => this.adapt(isUsed));
    this.tokens = options.maxPerSecond;
    this.refilledMs = clock.monotonicMs();
    this.confidence = options.minConfidence;
  }

  /** Lets it learn from so many reads more; those after them only count as uses of what was loaded. */
  refill(maxReads: number): void {
    // Reads are missing now, so nobody knows who reads what after what.
    if (this.readsLeft <= 0) this.parts.predictor.forgetClients();
    this.readsLeft = maxReads;
  }

  record(key: string, isHit: boolean, coarseMs: number): void {
    const { recorder, predictor, clientOf, clock } = this.parts;
    this.ledger.read(key, isHit);
    if (this.readsLeft <= 0) return;
    this.readsLeft -= 1;
    const client = clientOf();
    recorder.recordOf(client, key, isHit, coarseMs);
    if (client === undefined || !this.parts.isEnabled()) return;
    predictor.observe(client, key, exactMs(coarseMs, clock));
    this.lookAhead(key);
  }

  counts(): PrefetchCounts {
    this.ledger.expire(this.parts.clock.nowMs());
    return {
      started: this.started,
      used: this.ledger.used,
      wasted: this.ledger.wasted,
      skipped: { ...this.skipped },
      failed: this.failed,
      pending: this.ledger.size,
      confidence: this.confidence,
    };
  }

  private lookAhead(key: string): void {
    const { predictor, options } = this.parts;
    let ahead = 0;
    for (const prediction of predictor.predict(key, options.minConfidence)) {
      if (prediction.confidence < this.confidence) {
        this.confidence = Math.max(options.minConfidence, this.confidence - RELAX);
        return;
      }
      if (ahead === options.maxAhead) return;
      ahead += 1;
      this.consider(prediction.key);
    }
  }

  private consider(key: string): void {
    const { cache, source, options, clock } = this.parts;
    this.ledger.expire(clock.nowMs());
    if (this.ledger.has(key) || cache.isFresh(key)) return;
    if (this.running >= options.concurrency) {
      this.skipped.busy += 1;
      return;
    }
    const found = source.find(key);
    if (found === undefined) {
      this.skipped.unknown += 1;
      return;
    }
    if (!this.takeToken()) {
      this.skipped.budget += 1;
      return;
    }
    this.running += 1;
    this.ledger.plan(key, clock.nowMs());
    this.parts.tasks.run(async () => {
      try {
        // The reader who is there goes first.
        await nextTurn();
        if (!this.ledger.begin(key)) return;
        this.started += 1;
        await cache.warm(key, found.load, found.options);
        this.ledger.loaded(key);
      } catch (error) {
        this.failed += 1;
        this.ledger.fail(key);
        cacheFault.publish(() => ({ part: cache.namespace, operation: 'prefetch', error }));
      } finally {
        this.running -= 1;
      }
    });
  }

  private takeToken(): boolean {
    const { options, clock } = this.parts;
    const nowMs = clock.monotonicMs();
    const gained = ((nowMs - this.refilledMs) / 1_000) * options.maxPerSecond;
    this.tokens = Math.min(Math.max(1, options.maxPerSecond), this.tokens + gained);
    this.refilledMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Balanced when `USEFUL_SHARE` of the outcomes are uses. */
  private adapt(isUsed: boolean): void {
    const step = STEP * (isUsed ? USEFUL_SHARE - 1 : USEFUL_SHARE);
    const { minConfidence } = this.parts.options;
    this.confidence = Math.min(MAX_CONFIDENCE, Math.max(minConfidence, this.confidence + step));
  }
}
