import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import { buildSchema } from './build-schema.js';
import { createCluster } from './cluster-template.js';
import {
  type RelationPaths,
  relationPaths,
  resizeCatalog,
  resizeTable,
} from './copied-relations.js';
import {
  candidateStatistics,
  type CopiedIndex,
  copiesOf,
  createCandidate,
  type KnownCandidate,
  leavesOf,
  resizeCandidate,
} from './candidate-copies.js';
import { compilePglite, type PgliteExtension, pgliteExtension } from './pglite-files.js';
import { extendedStatisticsSteps } from './extended-statistics.js';
import { PlanningSession, type SessionOptions } from './planning-session.js';
import { PAGE_BYTES } from './relation-files.js';
import { settingStep } from './session-settings.js';
import { statisticsSteps } from './statistics-script.js';
import type { Difference, RefusedCandidate } from './what-if-planner.js';

/** A candidate with its indexes in the copy. */
export interface CopiedCandidate extends KnownCandidate {
  readonly copies: readonly CopiedIndex[];
}

/**
 * A database of PGlite with the schema, the statistics and the file sizes of another one, and no
 * rows. Indexes are created while the tables' files are empty; then PostgreSQL is stopped, the
 * files get their sizes, and it is started again. The session is open between calls.
 */
export class PlanningCopy {
  #session: PlanningSession;

  private constructor(
    private readonly catalog: Catalog,
    private readonly dataDir: string,
    private readonly options: Omit<SessionOptions, 'dataDir'>,
    session: PlanningSession,
  ) {
    this.#session = session;
  }

  /** Makes the copy in a folder that is private and empty; tells what it lacks. */
  static async create(
    catalog: Catalog,
    folder: string,
    workFolder: string,
  ): Promise<{ readonly copy: PlanningCopy; readonly differences: readonly Difference[] }> {
    const dataDir = join(folder, 'data');
    await createCluster(workFolder, dataDir, catalog.server.sortsByBytes ? 'C' : 'en_US.UTF-8');
    const extensions = await availableExtensions(catalog);
    const options = { extensions, program: await compilePglite() };
    const session = await PlanningSession.open({ dataDir, ...options });
    const copy = new PlanningCopy(catalog, dataDir, options, session);
    try {
      // Values of statistics are read as the server's session wrote them.
      await copy.#applySettings();
      const differences = await buildSchema(session, catalog, new Set(Object.keys(extensions)));
      await session.attempt(statisticsSteps(catalog));
      await session.attempt(extendedStatisticsSteps(catalog));
      await copy.#invalidate(invalidIndexes(catalog));
      const paths = await relationPaths(session, dataDir);
      await session.close();
      await resizeCatalog(catalog, paths);
      await copy.#reopen();
      return { copy, differences };
    } catch (error) {
      await copy.abandon();
      throw error;
    }
  }

  get session(): PlanningSession {
    return this.#session;
  }

  /** Creates the indexes of candidates, unused until they are switched on. */
  async add(candidates: readonly KnownCandidate[]): Promise<{
    readonly added: readonly CopiedCandidate[];
    readonly refused: readonly RefusedCandidate[];
  }> {
    const paths = await relationPaths(this.#session, this.dataDir);
    await this.#session.close();
    // Without rows, or what looks like pages of them, an index is built at once.
    await this.#resizeTables(candidates, paths, 0);
    await this.#reopen();
    const session = this.#session;
    const reasons = await session.attempt(
      candidates.map((candidate) => ({ sql: createCandidate(candidate) })),
    );
    const refused = candidates.flatMap(({ candidate }, position) => {
      const reason = reasons[position];
      return reason === undefined ? [] : [{ candidate, reason }];
    });
    const added: CopiedCandidate[] = [];
    for (const [position, known] of candidates.entries()) {
      if (reasons[position] !== undefined) continue;
      const copies = await copiesOf(session, known);
      await session.attempt(candidateStatistics(known, copies));
      await this.#invalidate(copies.map(({ schema, name }) => ({ schema, name })));
      added.push({ ...known, copies });
    }
    const allPaths = await relationPaths(session, this.dataDir);
    await session.close();
    await this.#resizeTables(candidates, paths, this.catalog.server.blockBytes / PAGE_BYTES);
    for (const known of added) await resizeCandidate(known, known.copies, allPaths);
    await this.#reopen();
    return { added, refused };
  }

  /** Ends PostgreSQL at once; the files are of no use afterwards. */
  abandon(): Promise<void> {
    return this.#session.abandon();
  }

  async #reopen(): Promise<void> {
    this.#session = await PlanningSession.open({ dataDir: this.dataDir, ...this.options });
    await this.#applySettings();
  }

  async #applySettings(): Promise<void> {
    await this.#session.attempt([
      settingStep(this.catalog.server),
      // A statement with its parameters is planned for them, however often.
      { sql: 'SET plan_cache_mode = force_custom_plan' },
    ]);
  }

  async #invalidate(indexes: readonly { schema: string; name: string }[]): Promise<void> {
    await this.#session.attempt(
      indexes.map(({ schema, name }) => ({
        sql: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = (
          SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1::text AND c.relname = $2::text)`,
        parameters: [schema, name],
      })),
    );
  }

  async #resizeTables(
    candidates: readonly KnownCandidate[],
    paths: RelationPaths,
    scale: number,
  ): Promise<void> {
    const tables = new Set(candidates.flatMap(({ parts }) => parts.map(({ table }) => table)));
    for (const table of tables) {
      for (const leaf of leavesOf(this.catalog, table)) await resizeTable(leaf, paths, scale);
    }
  }
}

function invalidIndexes({ tables }: Catalog) {
  return tables.flatMap(({ indexes }) => indexes.filter(({ isValid }) => !isValid));
}

async function availableExtensions({
  extensions,
}: Catalog): Promise<Readonly<Record<string, PgliteExtension>>> {
  const found = await Promise.all(
    extensions.map(async ({ name }) => [name, await pgliteExtension(name)] as const),
  );
  return Object.fromEntries(found.filter(([, extension]) => extension !== undefined)) as Record<
    string,
    PgliteExtension
  >;
}
