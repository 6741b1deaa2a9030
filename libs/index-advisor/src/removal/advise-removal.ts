import type { Catalog } from '../catalog/catalog.js';
import type { Finding, FindingReport } from '../finding.js';
import type { WhatIfPlanner } from '../what-if/what-if-planner.js';
import { type BloatLimits, findBloat, findNeglected } from './bloat.js';
import { type Duplicate, findDuplicates } from './duplicate-indexes.js';
import { dropStatement, type PlacedIndex, shownName, topIndexes } from './index-facts.js';
import { findMissingForeignKeyIndexes } from './missing-foreign-keys.js';
import { RedundancyProof, type WeighedStatement } from './redundant-indexes.js';
import { findUnused, type UnusedLimits } from './unused-indexes.js';
import type { UsageAge } from './usage-age.js';

export interface RemovalOptions extends UnusedLimits, BloatLimits {
  readonly catalog: Catalog;
  readonly age: UsageAge;
  /** With a planner and a workload it is proved which indexes the workload does not need. */
  readonly planner?: WhatIfPlanner;
  readonly statements?: readonly WeighedStatement[];
}

/**
 * Which indexes should go: invalid, duplicate, unused and redundant ones. Never one that a
 * constraint, a foreign key or replication needs.
 */
export async function adviseRemoval(options: RemovalOptions): Promise<FindingReport> {
  const { catalog, age, planner, statements = [] } = options;
  const proof =
    planner === undefined || statements.length === 0
      ? undefined
      : new RedundancyProof(planner, catalog, statements);
  const notes =
    proof === undefined
      ? ['No workload was planned without the indexes, so redundant ones were not looked for.']
      : [];
  const duplicates = await provenDuplicates(findDuplicates(catalog), proof);
  const gone = new Set(duplicates.found.map(({ dropped }) => dropped.index.oid));
  const shown = new Set(duplicates.found.map(({ finding }) => finding.object));
  const unused = await provenUnused(findUnused(catalog, age, options), shown, catalog, proof);
  for (const { index } of unused.placed) gone.add(index.oid);
  return {
    findings: [
      ...findInvalid(catalog),
      ...duplicates.found.map(({ finding }) => finding),
      ...unused.findings,
      ...((await proof?.findRedundant(gone)) ?? []),
    ],
    notes: [...notes, ...duplicates.notes, ...unused.notes],
  };
}

/** What an operator should do about space, dead rows, statistics and foreign keys. */
export function adviseUpkeep(catalog: Catalog, limits: BloatLimits = {}): readonly Finding[] {
  return [
    ...findMissingForeignKeyIndexes(catalog),
    ...findBloat(catalog, limits),
    ...findNeglected(catalog),
  ];
}

/** A longer index may be so much larger that reads get slower: then the shorter one stays. */
async function provenDuplicates(found: readonly Duplicate[], proof: RedundancyProof | undefined) {
  const proven: Duplicate[] = [];
  const notes: string[] = [];
  for (const duplicate of found) {
    const change = await proof?.tryWithout(duplicate.dropped);
    const isHarmful = proof !== undefined && change === undefined;
    if (duplicate.kind === 'prefix' && isHarmful) {
      notes.push(
        `${duplicate.finding.object} stays: without it statements of the workload cost more, ` +
          `although ${shownName(duplicate.kept.index)} begins with its keys.`,
      );
    } else proven.push(duplicate);
  }
  return { found: proven, notes };
}

/** What nobody read so far may be what the workload's statements are planned with from now on. */
async function provenUnused(
  { findings, notes }: FindingReport,
  shown: ReadonlySet<string>,
  catalog: Catalog,
  proof: RedundancyProof | undefined,
) {
  const proven: Finding[] = [];
  const placed: PlacedIndex[] = [];
  const kept: string[] = [];
  const byName = new Map(topIndexes(catalog).map((each) => [shownName(each.index), each]));
  for (const finding of findings) {
    const index = byName.get(finding.object);
    if (index === undefined || shown.has(finding.object)) continue;
    const change = await proof?.tryWithout(index);
    if (proof !== undefined && change === undefined) {
      kept.push(`${finding.object} was not read so far, but statements are planned with it now.`);
      continue;
    }
    proven.push(finding);
    placed.push(index);
  }
  return { findings: proven, placed, notes: [...notes, ...kept] };
}

function findInvalid(catalog: Catalog): readonly Finding[] {
  return topIndexes(catalog)
    .filter(({ index }) => !index.isValid && index.constraint === undefined)
    .map((placed) => ({
      code: 'invalid-index',
      object: shownName(placed.index),
      why:
        `A concurrent build of ${placed.index.name} failed or is under way. If it failed, writes ` +
        'maintain what no read may use.',
      evidence: { definition: placed.index.definition, bytes: placed.index.bytes },
      remedy: [dropStatement(placed)],
      confidence: 'check' as const,
    }));
}
