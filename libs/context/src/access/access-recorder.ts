import { type Clock, WriteBehind } from '#libs/core';
import type { Queryable } from '../store/database.js';
import {
  type AccessCount,
  type AccessEventRow,
  appendAccessEvents,
  countAccesses,
} from './access.queries.js';
import type { AccessPartitions } from './access-partitions.js';

export interface AccessRecorderOptions {
  readonly flushMs: number;
  readonly bufferRows: number;
}

const COUNT_EVERY_FLUSHES = 10;
const MAX_COUNTS = 5000;

/**
 * Notes which entries users were given, without making them wait: events gather in memory, one
 * for each user and entry, and are appended in batches. When the database does not keep up, events
 * are dropped and counted rather than memory filled; they only steer the ranking.
 */
export class AccessRecorder {
  private buffer = new Map<string, AccessEventRow>();
  private counts = new Map<string, AccessCount>();
  private countsDueMs = -Infinity;
  private readonly behind: WriteBehind;
  private droppedRows = 0;

  constructor(
    private readonly database: Queryable,
    private readonly partitions: AccessPartitions,
    private readonly clock: Clock,
    private readonly options: AccessRecorderOptions,
    onError: (error: unknown) => void,
  ) {
    this.behind = new WriteBehind({
      delayMs: () => options.flushMs,
      isDue: () => this.buffer.size > 0 || this.counts.size > 0,
      write: () => this.write(),
      onError,
    });
  }

  /** Events that were dropped since the start. */
  get dropped(): number {
    return this.droppedRows;
  }

  /** Notes that a user was given some entries just now. */
  record(userId: string, entryIds: readonly string[]): void {
    const occurredAt = this.clock.now();
    for (const entryId of entryIds) {
      const key = `${entryId}/${userId}`;
      const known = this.buffer.get(key);
      if (known === undefined && this.buffer.size >= this.options.bufferRows) {
        this.droppedRows += 1;
        continue;
      }
      const accesses = (known?.accesses ?? 0) + 1;
      this.buffer.set(key, { entryId, userId, occurredAt, accesses });
    }
    if (this.buffer.size > 0) this.behind.schedule();
  }

  /** Writes what has gathered, and waits for it. */
  flush(): Promise<void> {
    this.countsDueMs = -Infinity;
    return this.behind.flush();
  }

  /** Writes what has gathered. May be called twice. */
  close(): Promise<void> {
    this.countsDueMs = -Infinity;
    return this.behind.close();
  }

  private async write(): Promise<void> {
    const events = [...this.buffer.values()];
    this.buffer = new Map();
    try {
      if (events.length > 0) {
        await this.partitions.ensure(this.clock.now());
        await appendAccessEvents(this.database, events);
      }
    } catch (error) {
      this.droppedRows += events.length;
      throw error;
    }
    for (const { entryId, occurredAt, accesses } of events) {
      const count = (this.counts.get(entryId)?.count ?? 0) + accesses;
      this.counts.set(entryId, { count, last: occurredAt });
    }
    await this.writeCounts();
  }

  /**
   * Counters are written more rarely than events: nothing but people reads them, and what is
   * given often is then counted in one update.
   */
  private async writeCounts(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.countsDueMs && this.counts.size < MAX_COUNTS) {
      this.behind.schedule();
      return;
    }
    this.countsDueMs = nowMs + COUNT_EVERY_FLUSHES * this.options.flushMs;
    const counts = this.counts;
    this.counts = new Map();
    await countAccesses(this.database, counts);
  }
}
