import type { Catalog } from '../catalog/catalog.js';
import type { Finding } from '../finding.js';
import { adviseUpkeep } from '../removal/advise-removal.js';
import type { BloatLimits } from '../removal/bloat.js';
import { findDuplicates } from '../removal/duplicate-indexes.js';
import type { WorkloadStatement } from '../workload/workload.js';
import { adviseColumns } from './column-advice.js';
import { adviseJsonPaths } from './json-path-advice.js';
import type { ColumnSequence } from './read-sequences.js';
import { adviseSequences } from './sequence-advice.js';

export interface SchemaAdviceOptions extends BloatLimits {
  readonly catalog: Catalog;
  readonly sequences: readonly ColumnSequence[];
  /** Decides which paths into jsonb are hot. */
  readonly statements?: readonly WorkloadStatement[];
}

/**
 * What should be different about tables, whatever the workload's plans: types, NOT NULL, foreign
 * keys without an index, duplicate indexes, space, statistics, and paths into jsonb in hot filters.
 */
export async function adviseSchema(options: SchemaAdviceOptions): Promise<readonly Finding[]> {
  const { catalog, sequences, statements = [] } = options;
  return [
    ...adviseSequences(sequences),
    ...adviseUpkeep(catalog, options),
    ...findDuplicates(catalog)
      .filter(({ kind }) => kind === 'same')
      .map(({ finding }) => finding),
    ...(await adviseJsonPaths(catalog, statements)),
    ...adviseColumns(catalog),
  ];
}
