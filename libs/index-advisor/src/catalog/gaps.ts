import type { Difference } from '../what-if/what-if-planner.js';
import type { Column } from './catalog.js';
import type { BareTable } from './read-tables.js';

/** A column and whether the role may read it, and with it its statistics. */
export type ReadColumn = Column & { readonly mayRead: boolean };

/** What is missing in the statistics of a table, and what that does to plans. */
export function gapsOf(table: BareTable, columns: readonly ReadColumn[]): readonly Difference[] {
  if (table.kind === 'foreign table') return [];
  const subject = `${table.schema}.${table.name}`;
  if (table.rowSecurityApplies) {
    return [
      {
        kind: 'statistics-hidden',
        subject,
        detail:
          'Row security applies to this role, so pg_stats shows nothing of this table; plans of it ' +
          'rest on defaults. Read the catalog as the owner or with BYPASSRLS.',
      },
    ];
  }
  const hidden = columns.filter(({ mayRead }) => !mayRead).map(({ name }) => name);
  const gaps: Difference[] = [];
  if (hidden.length > 0) {
    gaps.push({
      kind: 'statistics-hidden',
      subject,
      detail:
        `This role may not SELECT ${hidden.join(', ')}, so pg_stats hides their statistics; ` +
        'conditions on them are estimated by defaults. Grant SELECT or pg_read_all_data.',
    });
  }
  const isAnalysed = columns.some((column) => column.statistics ?? column.inheritedStatistics);
  if (!isAnalysed && hidden.length < columns.length && table.size.pages > 0) {
    gaps.push({
      kind: 'statistics-missing',
      subject,
      detail: 'This table was never analysed; the server plans by defaults too. Run ANALYZE.',
    });
  }
  return gaps;
}
