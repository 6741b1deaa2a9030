import { BackgroundTasks, type Clock } from '#libs/core';
import type { Queryable } from '../store/database.js';
import { appendAccessEvents, countAccesses, type AccessEventRow } from './access.queries.js';
import type { AccessPartitions } from './access-partitions.js';

export interface AccessRecorderOptions {
  readonly flushMs: number;
  readonly bufferRows: number;
}

/**
 * Notes which entries users were given, without making them wait: events gather in memory and are
 * appended in batches. When the database does not keep up, events are dropped and counted rather
 * than memory filled; they only steer the ranking.
 */
export class AccessRecorder {
  private buffer: AccessEventRow[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly tasks: BackgroundTasks;
  private droppedRows = 0;

  constructor(
    private readonly database: Queryable,
    private readonly partitions: AccessPartitions,
    private readonly clock: Clock,
    private readonly options: AccessRecorderOptions,
    onFailure: (error: unknown) => void,
  ) {
    this.tasks = new BackgroundTasks(onFailure);
  }

  /** Events that were dropped since the start. */
  get dropped(): number {
    return this.droppedRows;
  }

  /** Notes that a user was given some entries just now. */
  record(userId: string, entryIds: readonly string[]): void {
    const occurredAt = this.clock.now();
    const room = this.options.bufferRows - this.buffer.length;
    this.droppedRows += Math.max(0, entryIds.length - room);
    for (const entryId of entryIds.slice(0, Math.max(0, room))) {
      this.buffer.push({ entryId, occurredAt, userId });
    }
    if (this.buffer.length > 0) this.schedule();
  }

  /** Writes what has gathered, and waits for it. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.start();
    await this.tasks.drain();
  }

  /** Writes what has gathered. May be called twice. */
  close(): Promise<void> {
    return this.flush();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.start();
    }, this.options.flushMs).unref();
  }

  private start(): void {
    if (this.buffer.length === 0) return;
    const events = this.buffer;
    this.buffer = [];
    this.tasks.run(() => this.write(events));
  }

  private async write(events: readonly AccessEventRow[]): Promise<void> {
    try {
      await this.partitions.ensure(this.clock.now());
      await appendAccessEvents(this.database, events);
      await countAccesses(this.database, events);
    } catch (error) {
      this.droppedRows += events.length;
      throw error;
    }
  }
}
