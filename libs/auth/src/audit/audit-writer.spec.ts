import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineSettings, SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import {
  createContext,
  MemoryLogDestination,
  requestFailed,
  RootLogger,
  runWithContext,
} from '#libs/logging';
import { z } from 'zod';
import { authEvents } from '../auth.events.js';
import { auditSettings } from './audit.settings.js';
import { AuditWriter } from './audit-writer.js';
import type { SecurityRecord } from './security-event.js';
import type { SecurityEventStore } from './security-event.store.js';

const USER = '01900000-0000-7000-8000-00000000000a';

/** A table that fails as long as it is told to. */
class FakeTable {
  readonly rows: SecurityRecord[] = [];
  failure: Error | undefined;
  /** Is never taken. */
  poison: string | undefined;
  failsAfterRows = Infinity;

  async add(records: readonly SecurityRecord[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (records.some(({ targetId }) => targetId !== null && targetId === this.poison)) {
      throw Object.assign(new Error('invalid input syntax'), { code: '22P02' });
    }
    if (this.rows.length >= this.failsAfterRows) throw new Error('connection refused');
    this.rows.push(...records.map((record) => ({ ...record })));
  }
}

describe('AuditWriter', () => {
  let table: FakeTable;
  let writer: AuditWriter;
  let destination: MemoryLogDestination;

  function start(settings: Readonly<Record<string, number>> = {}): void {
    const store = new SettingsStore([auditSettings], { overrides: { audit: settings } });
    const log = new RootLogger({ service: 'test', destination });
    const asStore = table as unknown as SecurityEventStore;
    writer = new AuditWriter(asStore, store, new ManualClock(), log);
    writer.onModuleInit();
    writer.onModuleInit();
  }

  beforeEach(() => {
    table = new FakeTable();
    destination = new MemoryLogDestination();
  });
  afterEach(() => writer.onApplicationShutdown());

  const logOut = (sessionId: string): void =>
    authEvents.publish(() => ({ type: 'logged-out', sessionId }));
  const deny = (detail = 'no'): void => {
    const answer = { status: 403, code: 'AUTH_PERMISSION_DENIED', detail, requestId: 'r' };
    requestFailed.publish(() => answer);
  };

  it('writes what happened in batches, in its order', async () => {
    start();
    for (let at = 0; at < 1_200; at += 1) logOut(`session-${at}`);
    await writer.flush();
    expect(table.rows.map(({ targetId }) => targetId)).toEqual(
      Array.from({ length: 1_200 }, (_, at) => `session-${at}`),
    );
    expect(writer.counts).toEqual({ written: 1_200, lost: 0, waiting: 0 });
  });

  it('makes one row of failures that are alike, and rows of those that differ', async () => {
    start();
    for (let at = 0; at < 50; at += 1) deny();
    deny('something else');
    await writer.flush();
    expect(table.rows.map(({ occurrences }) => occurrences)).toEqual([50, 1]);
    deny();
    await writer.flush();
    expect(table.rows.map(({ occurrences }) => occurrences)).toEqual([50, 1, 1]);
  });

  it('lists a bounded number of refusals in a minute, and tells how many more there were', async () => {
    start({ refusalsPerMinute: 10 });
    for (let at = 0; at < 25; at += 1) deny(`number ${at}`);
    logOut('always-listed');
    await writer.flush();
    expect(table.rows).toHaveLength(12);
    expect(table.rows.find(({ type }) => type === 'refusals-not-listed')?.occurrences).toBe(15);
    expect(table.rows.some(({ targetId }) => targetId === 'always-listed')).toBe(true);
  });

  it('keeps events while the database is away, and says so once', async () => {
    start();
    table.failure = new Error('connection refused');
    logOut('one');
    await writer.flush();
    logOut('two');
    await writer.flush();
    expect(writer.counts).toEqual({ written: 0, lost: 0, waiting: 2 });
    expect(destination.records.map(({ code }) => code)).toEqual(['AUDIT_UNAVAILABLE']);
    table.failure = undefined;
    await writer.flush();
    expect(table.rows.map(({ targetId }) => targetId)).toEqual(['one', 'two']);
  });

  it('puts into the log what finds no room, so that nothing is lost silently', async () => {
    start({ bufferEvents: 100 });
    table.failure = new Error('connection refused');
    for (let at = 0; at < 103; at += 1) logOut(`session-${at}`);
    await writer.flush();
    const lost = destination.records.filter(({ code }) => code === 'AUDIT_EVENT_NOT_STORED');
    expect(lost).toHaveLength(3);
    expect(JSON.stringify(lost)).toContain('session-102');
    expect(writer.counts).toMatchObject({ lost: 3, waiting: 100 });
  });

  it('does not let a row that the table refuses hold up the others', async () => {
    start();
    table.poison = 'bad';
    for (const id of ['one', 'bad', 'two']) logOut(id);
    await writer.flush();
    expect(table.rows.map(({ targetId }) => targetId)).toEqual(['one', 'two']);
    expect(writer.counts).toEqual({ written: 2, lost: 1, waiting: 0 });
    expect(destination.records).toMatchObject([{ code: 'AUDIT_EVENT_NOT_STORED' }]);
  });

  it('counts an event once, though an outage comes between a refused row and the rest', async () => {
    start();
    table.poison = 'bad';
    table.failsAfterRows = 1;
    for (const id of ['one', 'bad', 'two']) logOut(id);
    await writer.flush();
    expect(writer.counts).toEqual({ written: 1, lost: 1, waiting: 1 });
    table.failsAfterRows = Infinity;
    await writer.flush();
    expect(table.rows.map(({ targetId }) => targetId)).toEqual(['one', 'two']);
    expect(writer.counts).toEqual({ written: 2, lost: 1, waiting: 0 });
  });

  it('tells who changed which settings while the process runs, and no secret of them', async () => {
    start();
    const section = defineSettings('lab', {
      gate: z.boolean().default(false).meta({ description: 'Opens', live: true }),
      token: z.string().default('old').meta({ description: 'Pass', live: true, secret: true }),
    });
    const settings = new SettingsStore([section]);
    runWithContext(createContext({ userId: USER, organizationId: 'o' }), () =>
      settings.overrideAll({ 'lab.gate': true, 'lab.token': 'new' }),
    );
    settings.overrideAll({ 'lab.gate': true });
    await writer.flush();
    expect(table.rows).toMatchObject([
      {
        type: 'settings-changed',
        outcome: 'succeeded',
        actorId: USER,
        organizationId: 'o',
        details: {
          changes: [
            { path: 'lab.gate', before: false, after: true, live: true },
            { path: 'lab.token', before: '***', after: '***' },
          ],
        },
      },
    ]);
  });

  it('writes the last ones at the end, or logs them when it cannot', async () => {
    start();
    logOut('last');
    await writer.onApplicationShutdown();
    expect(table.rows).toHaveLength(1);
    logOut('too late');
    expect(writer.counts.waiting).toBe(0);

    start();
    table.failure = new Error('connection refused');
    authEvents.publish(() => ({ type: 'login', outcome: 'succeeded', userId: USER }));
    await writer.onApplicationShutdown();
    await writer.onApplicationShutdown();
    expect(destination.records.map(({ code }) => code)).toContain('AUDIT_EVENT_NOT_STORED');
    expect(writer.counts).toMatchObject({ lost: 1, waiting: 0 });
  });
});
