import type { Catalog } from '../catalog/catalog.js';
import type { Difference } from './what-if-planner.js';

/** The version that plans here. */
export const PLANNER_VERSION = 18;

/** Changes of the planner that no setting takes back, by the version that brought them. */
const CHANGES: readonly (readonly [since: number, change: string])[] = [
  [14, 'estimates of IN and of ranges on expressions'],
  [16, 'incremental sorts for DISTINCT and right anti joins'],
  [17, 'B-tree scans of IN lists in one pass, and statistics of CTEs'],
  [18, 'B-tree skip scans, and OR conditions turned into array conditions'],
];

/** What is known beforehand to make plans here differ from those of the server. */
export function knownDifferences({ server, tables, gaps }: Catalog): readonly Difference[] {
  const protectedTables = tables.filter(({ hasRowSecurity }) => hasRowSecurity);
  const foreignTables = tables.filter(({ kind }) => kind === 'foreign table');
  return [
    ...gaps,
    ...versionDifference(server.majorVersion),
    ...(server.blockBytes === 8192 ? [] : [blockDifference(server.blockBytes)]),
    ...(server.encoding === 'UTF8' ? [] : [encodingDifference(server.encoding)]),
    ...protectedTables.map(({ schema, name }) => ({
      kind: 'row-security',
      subject: `${schema}.${name}`,
      detail: 'Policies of row security add conditions that plans here do not have.',
    })),
    ...foreignTables.map(({ schema, name }) => ({
      kind: 'foreign-table',
      subject: `${schema}.${name}`,
      detail: 'Its data is elsewhere; it is planned as an empty table.',
    })),
  ];
}

function versionDifference(majorVersion: number): readonly Difference[] {
  if (majorVersion === PLANNER_VERSION) return [];
  const changes = CHANGES.filter(([since]) => majorVersion < since).map(([, change]) => change);
  const detail =
    majorVersion > PLANNER_VERSION
      ? `Plans are made by PostgreSQL ${PLANNER_VERSION}; what came later is not known here.`
      : `Plans are made by PostgreSQL ${PLANNER_VERSION}, which also has: ${changes.join('; ')}.`;
  return [{ kind: 'server-version', subject: `PostgreSQL ${majorVersion}`, detail }];
}

function blockDifference(bytes: number): Difference {
  const detail = `The server's pages have ${bytes} bytes; costs here are of pages of 8192.`;
  return { kind: 'block-size', subject: 'block_size', detail };
}

function encodingDifference(encoding: string): Difference {
  const detail = 'Text is UTF-8 here; widths of text outside ASCII may differ.';
  return { kind: 'encoding', subject: encoding, detail };
}
