import type { Catalog } from '../catalog/catalog.js';
import { PlannerStoppedError } from '../errors/planner-stopped.error.js';
import { StatementRefusedError } from '../errors/statement-refused.error.js';
import { type KnownCandidate, leavesOf, planCandidate } from './candidate-copies.js';
import { type CandidateIndex, candidateIdentity } from './candidate-index.js';
import { Exclusive } from './exclusive.js';
import { ExplainScripts, refusing } from './explain-script.js';
import { type ExplainedNode, parsePlan } from './parse-plan.js';
import type { Plan } from './plan.js';
import { type CopiedCandidate, PlanningCopy } from './planning-copy.js';
import type { PlanningSession } from './planning-session.js';
import { relationKey, validIndexes } from './copied-relations.js';
import {
  createOwnedFolder,
  defaultWorkFolder,
  ensurePrivateFolder,
  removeFolder,
  removeLeftovers,
} from './private-folder.js';
import { indexSize } from './size/index-size.js';
import { bytesOfPages } from './size/other-sizes.js';
import { knownDifferences } from './version-differences.js';
import {
  type Difference,
  type IndexName,
  type RefusedCandidate,
  type Statement,
  WhatIfPlanner,
} from './what-if-planner.js';

/** Where a planner keeps its copy. */
export interface WhatIfPlannerOptions {
  /**
   * A folder that only this user may enter, made when it is not there. Copies of planners that
   * crashed are removed from it. Default: one for each user in the folder for temporary files.
   */
  readonly workFolder?: string;
}

/**
 * Opens a planner for a catalog: starts PostgreSQL 18 in WebAssembly, in a thread of this process,
 * with schema and statistics of the catalog and no rows. Takes about two seconds; the first time on a
 * machine some seconds more.
 */
export async function openWhatIfPlanner(
  catalog: Catalog,
  options: WhatIfPlannerOptions = {},
): Promise<WhatIfPlanner> {
  const workFolder = options.workFolder ?? defaultWorkFolder();
  await ensurePrivateFolder(workFolder);
  await removeLeftovers(workFolder);
  const folder = await createOwnedFolder(workFolder);
  try {
    const { copy, differences } = await PlanningCopy.create(catalog, folder, workFolder);
    const all = [...knownDifferences(catalog), ...differences];
    return new PgliteWhatIfPlanner(catalog, copy, folder, all);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

class PgliteWhatIfPlanner extends WhatIfPlanner {
  readonly #known = new Map<string, CopiedCandidate>();
  readonly #refused = new Map<string, RefusedCandidate>();
  readonly #byIndex = new Map<string, CandidateIndex>();
  readonly #exclusive = new Exclusive();
  #scripts: { readonly session: PlanningSession; readonly scripts: ExplainScripts } | undefined;
  /** Existing indexes that are valid, by name; their oids in the copy. */
  #existing: ReadonlyMap<string, number> | undefined;
  #lastName = 0;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly catalog: Catalog,
    private readonly copy: PlanningCopy,
    private readonly folder: string,
    readonly differences: readonly Difference[],
  ) {
    super();
  }

  prepare(candidates: readonly CandidateIndex[]): Promise<readonly RefusedCandidate[]> {
    return this.#exclusive.run(() => this.#prepare(candidates));
  }

  explain(
    statement: string | Statement,
    candidates: readonly CandidateIndex[] = [],
    without: readonly IndexName[] = [],
  ): Promise<Plan> {
    const given = typeof statement === 'string' ? { sql: statement } : statement;
    return this.#exclusive.run(async () => {
      await this.#prepare(candidates);
      return await this.#explain(given, candidates, without);
    });
  }

  sizeBytesOf(candidate: CandidateIndex): number {
    const known = this.#known.get(candidateIdentity(candidate));
    if (known !== undefined) return known.bytes;
    const table = this.#tableOf(candidate);
    if (table === undefined) return 0;
    const pages = leavesOf(this.catalog, table).map((leaf) => indexSize(candidate, leaf).pages);
    return bytesOfPages(pages.reduce((sum, count) => sum + count, 0));
  }

  close(): Promise<void> {
    this.#closing ??= this.#exclusive.run(async () => {
      await this.copy.abandon();
      await removeFolder(this.folder);
    });
    return this.#closing;
  }

  async #prepare(candidates: readonly CandidateIndex[]): Promise<readonly RefusedCandidate[]> {
    this.#assertOpen();
    const fresh = new Map(candidates.map((given) => [candidateIdentity(given), given]));
    for (const identity of fresh.keys()) {
      if (this.#known.has(identity) || this.#refused.has(identity)) fresh.delete(identity);
    }
    if (fresh.size > 0) await this.#add([...fresh.values()]);
    const refused = candidates.map((given) => this.#refused.get(candidateIdentity(given)));
    return refused.filter((refusal) => refusal !== undefined);
  }

  async #add(candidates: readonly CandidateIndex[]): Promise<void> {
    const planned: KnownCandidate[] = [];
    for (const candidate of candidates) {
      this.#lastName += 1;
      const name = `what_if_${this.#lastName}`;
      const { session } = this.copy;
      const known = await planCandidate(session, this.catalog, candidate, name);
      if (known === undefined) this.#refuse({ candidate, reason: 'the catalog has no such table' });
      else planned.push(known);
    }
    const { added, refused } = await this.copy.add(planned);
    for (const refusal of refused) this.#refuse(refusal);
    for (const known of added) {
      this.#known.set(candidateIdentity(known.candidate), known);
      for (const { name } of known.copies) this.#byIndex.set(name, known.candidate);
    }
  }

  #refuse(refusal: RefusedCandidate): void {
    this.#refused.set(candidateIdentity(refusal.candidate), refusal);
  }

  async #explain(
    statement: Statement,
    candidates: readonly CandidateIndex[],
    without: readonly IndexName[],
  ): Promise<Plan> {
    const { session } = this.copy;
    // A new session has nothing prepared.
    if (this.#scripts?.session !== session) {
      this.#scripts = { session, scripts: new ExplainScripts(session) };
    }
    const switched = await this.#switched(candidates, without);
    const script = await this.#scripts.scripts.scriptFor(statement, switched);
    const results = await refusing(session.script(script, 'ROLLBACK'));
    const [row] = results.find((rows) => rows.length > 0) ?? [];
    const [explained] = (row as ExplainedRow | undefined)?.['QUERY PLAN'] ?? [];
    if (explained === undefined) throw new StatementRefusedError('it has no plan', undefined);
    return parsePlan(explained.Plan, (index) => this.#byIndex.get(index));
  }

  /** The indexes in the copy to turn on and off. */
  async #switched(
    candidates: readonly CandidateIndex[],
    without: readonly IndexName[],
  ): Promise<readonly number[]> {
    const on = candidates.flatMap(
      (given) => this.#known.get(candidateIdentity(given))?.copies ?? [],
    );
    if (without.length > 0) this.#existing ??= await validIndexes(this.copy.session);
    const off = without.map((index) => this.#existing?.get(relationKey(index)));
    return [...new Set([...on.map(({ oid }) => oid), ...off.filter((oid) => oid !== undefined)])];
  }

  #tableOf({ schema, table }: CandidateIndex) {
    return this.catalog.tables.find((other) => other.schema === schema && other.name === table);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new PlannerStoppedError('it was closed');
  }
}

interface ExplainedRow {
  readonly 'QUERY PLAN': readonly { readonly Plan: ExplainedNode }[];
}
