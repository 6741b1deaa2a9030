import { SettingsStore, type SettingsSection } from '#libs/config';
import {
  type BulkLine,
  type BulkReport,
  type Context,
  contextEntities,
  contextMigrations,
  contextSettings,
  createContext,
  type NewEntry,
} from '#libs/context';
import { AccessControl, newId, type Principal, SystemClock } from '#libs/core';
import { type BenchDatabase, openBenchDatabase } from './bench-database.js';

/** The services of `libs/context` over a database of a benchmark's own, with one user. */
export interface BenchContext {
  readonly context: Context;
  readonly user: Principal;
  readonly database: BenchDatabase;
  close(): Promise<void>;
}

class OpenAccess extends AccessControl {
  override isAllowed(): boolean {
    return true;
  }
}

export async function openBenchContext(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<BenchContext> {
  const database = await openBenchDatabase({
    entities: contextEntities,
    migrations: contextMigrations,
  });
  const sections: readonly SettingsSection[] = [contextSettings];
  const context = createContext({
    dataSource: database.dataSource,
    settings: new SettingsStore(sections, { overrides: { context: settings } }),
    clock: new SystemClock(),
    access: new OpenAccess(),
  });
  return {
    context,
    user: {
      userId: newId(),
      organizationId: newId(),
      email: 'bench@pantheon.example',
      roles: [],
      grants: [],
    },
    database,
    async close() {
      await context.close();
      await database.close();
    },
  };
}

/** Makes a source of documents and writes entries in bulk, as an ingest does. */
export async function ingest(
  { context, user }: BenchContext,
  source: string,
  entries: Iterable<NewEntry>,
  onProgress: (lines: number) => void = () => undefined,
): Promise<{ readonly report: BulkReport; readonly seconds: number }> {
  await context.sources.create(user, { name: source, kind: 'document' });
  const startedMs = performance.now();
  const report = await context.entries.bulkInsert(user, source, linesOf(entries), { onProgress });
  const seconds = (performance.now() - startedMs) / 1000;
  await context.maintenance.settle();
  return { report, seconds };
}

async function* linesOf(entries: Iterable<NewEntry>): AsyncGenerator<BulkLine> {
  let line = 0;
  for (const entry of entries) yield { line: ++line, entry };
}
