import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { settingsChanged, SettingsStore } from '#libs/config';
import { Clock, newId, WriteBehind } from '#libs/core';
import { requestFailed, RootLogger } from '#libs/logging';
import { authEvents } from '../auth.events.js';
import { auditSettings } from './audit.settings.js';
import { eventOf, refusalOf } from './event-of.js';
import { recordOf } from './record-of.js';
import { RefusalQuota } from './refusal-quota.js';
import type { SecurityEvent, SecurityRecord } from './security-event.js';
import { SecurityEventStore } from './security-event.store.js';

const MAX_BATCH = 500;
/** After a failure the buffer is tried again this much later. */
const RETRY_MS = 5_000;
/** SQLSTATE classes of rows that will never be taken: bad data, violated constraints. */
const HOPELESS = /^2[23]/;

type Pending = { -readonly [Name in keyof SecurityRecord]: SecurityRecord[Name] };

/** What became of the events so far. */
export interface AuditCounts {
  readonly written: number;
  /** Neither written nor waiting; each stands in the log. */
  readonly lost: number;
  readonly waiting: number;
}

/**
 * Writes what happens by itself and often: log-ins, refusals, ends of sessions; and changes of settings
 * while the process runs. Events gather in memory and are written in batches; alike failures of a moment
 * become one row that counts them. Nothing is lost silently: what the buffer or the table does not take
 * goes to the log.
 */
@Injectable()
export class AuditWriter implements OnModuleInit, OnApplicationShutdown {
  private readonly buffer: Pending[] = [];
  /** Failures of the buffer by what is the same in those alike. */
  private readonly alike = new Map<string, Pending>();
  private readonly quota: RefusalQuota;
  private readonly behind: WriteBehind;
  private stop: (() => void)[] = [];
  private isOut = false;
  private written = 0;
  private lost = 0;

  constructor(
    private readonly store: SecurityEventStore,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly log: RootLogger,
  ) {
    this.behind = new WriteBehind({
      delayMs: () => (this.isOut ? RETRY_MS : settings.get(auditSettings).flushMs),
      isDue: () => this.hasGathered(),
      write: () => this.writeAll(),
      onError: (error) => this.reportOutage(error),
    });
    this.quota = new RefusalQuota(() => settings.get(auditSettings).refusalsPerMinute, clock);
  }

  get counts(): AuditCounts {
    return { written: this.written, lost: this.lost, waiting: this.buffer.length };
  }

  onModuleInit(): void {
    if (this.stop.length > 0) return;
    this.stop = [
      authEvents.subscribe((event) => this.add(eventOf(event))),
      requestFailed.subscribe((answer) => this.add(refusalOf(answer))),
      settingsChanged.subscribe((changes) =>
        this.add({ type: 'settings-changed', details: { changes } }),
      ),
    ];
  }

  async onApplicationShutdown(): Promise<void> {
    for (const stop of this.stop.splice(0)) stop();
    await this.behind.close();
    for (const record of this.buffer.splice(0)) this.lose(record);
  }

  /** Writes what has gathered, and waits for it. */
  flush(): Promise<void> {
    return this.behind.flush();
  }

  private add(event: SecurityEvent | undefined): void {
    if (event === undefined) return;
    if (event.outcome === undefined || event.outcome === 'succeeded') {
      this.keep(recordOf(event, this.clock.nowMs()));
      return;
    }
    const record: Pending = recordOf(event, this.clock.nowMs());
    const key = keyOf(record);
    const known = this.alike.get(key);
    if (known !== undefined) known.occurrences += 1;
    else if (this.quota.take() && this.keep(record)) this.alike.set(key, record);
  }

  private keep(record: Pending): boolean {
    const { bufferEvents } = this.settings.get(auditSettings);
    if (this.buffer.length >= bufferEvents) {
      this.lose(record);
      return false;
    }
    this.buffer.push(record);
    if (this.buffer.length >= MAX_BATCH && !this.isOut) this.behind.start();
    else this.behind.schedule();
    return true;
  }

  private hasGathered(): boolean {
    const beyond = this.quota.drain();
    if (beyond > 0) this.buffer.push(notListed(beyond, this.clock.nowMs()));
    return this.buffer.length > 0;
  }

  private async writeAll(): Promise<void> {
    while (this.buffer.length > 0) {
      const batch = this.buffer.splice(0, MAX_BATCH);
      this.alike.clear();
      try {
        await this.write(batch);
      } catch (error) {
        this.buffer.unshift(...batch);
        throw error;
      }
      this.isOut = false;
    }
  }

  /** A row that the table will never take must not hold up the others. What is done leaves the batch. */
  private async write(batch: SecurityRecord[]): Promise<void> {
    try {
      await this.store.add(batch);
      this.written += batch.length;
    } catch (error) {
      if (!HOPELESS.test(stateOf(error))) throw error;
      if (batch.length === 1) {
        for (const record of batch) this.lose(record, error);
        return;
      }
      for (; batch.length > 0; batch.shift()) await this.write(batch.slice(0, 1));
    }
  }

  private lose(record: SecurityRecord, error?: unknown): void {
    this.lost += 1;
    this.log.module('audit').error('A security event was not stored', {
      code: 'AUDIT_EVENT_NOT_STORED',
      event: record,
      ...(error === undefined ? {} : { err: error }),
    });
  }

  private reportOutage(error: unknown): void {
    const isNews = !this.isOut;
    this.isOut = true;
    this.behind.schedule();
    if (!isNews) return;
    this.log.module('audit').error('Security events cannot be written; they wait in memory', {
      code: 'AUDIT_UNAVAILABLE',
      waiting: this.buffer.length,
      err: error,
    });
  }
}

function keyOf({ type, actorId, userId, address, targetId, details }: SecurityRecord): string {
  return JSON.stringify([type, actorId, userId, address, targetId, details]);
}

/** Made by a timer, which still has the context of some request: nothing of that belongs here. */
function notListed(occurrences: number, nowMs: number): SecurityRecord {
  return {
    id: newId(nowMs),
    occurredAt: new Date(nowMs),
    type: 'refusals-not-listed',
    outcome: 'refused',
    actorId: null,
    userId: null,
    organizationId: null,
    targetKind: null,
    targetId: null,
    address: null,
    userAgent: null,
    requestId: null,
    occurrences,
    details: {},
  };
}

function stateOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
