import type { HealthSummary } from '../health-summaries.js';

/** What the thread is given when it starts. */
export interface HealthThreadData {
  readonly host: string;
  readonly port: number;
  readonly stallMs: number;
  readonly scrapeTimeoutMs: number;
  /** Written by the main thread: see `Slot`. */
  readonly shared: SharedArrayBuffer;
}

/** Places in the shared memory, of 64 bits each. */
export const Slot = {
  /** When the main thread turned last, in nanoseconds of the clock of `process.hrtime`. */
  turnedAt: 0,
  /** 1 from the start of a shutdown on. */
  draining: 1,
} as const;

/** Who asks for the metrics. */
export interface ScrapeRequest {
  readonly authorization: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly isForwarded: boolean;
}

/** The metrics, or why there are none. */
export interface ScrapeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export type ToThread =
  | { readonly type: 'summary'; readonly summary: HealthSummary }
  | { readonly type: 'scraped'; readonly id: number; readonly answer: ScrapeAnswer };

export type FromThread =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'scrape'; readonly id: number; readonly request: ScrapeRequest };
