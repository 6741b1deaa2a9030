import type { Catalog, Column, Table } from '../catalog/catalog.js';
import { type CandidateIndex, type CandidateKey, quoteName } from '../what-if/candidate-index.js';
import type { Proposal } from './candidate.js';
import { columnOf, isConstantColumn, statisticsOf } from './column-facts.js';
import { bare, candidateKey } from './propose-ordered.js';
import type { Condition, TableUse } from './table-use.js';

/** BRIN pays on large tables whose rows lie in the order of the column. */
const BRIN_PAGES = 4096;
const BRIN_CORRELATION = 0.9;
const EXISTENCE = new Set(['?', '?|', '?&']);
const RANGE_TYPE = /^(?:int4|int8|num|ts|tstz|date)(?:multi)?range$/;

type Facts = Pick<Catalog, 'extensions' | 'server'>;

/** Indexes of other kinds than B-trees in their usual order: for patterns, JSON, arrays, ranges. */
export function proposeSpecial(use: TableUse, facts: Facts): readonly Proposal[] {
  const conditions = [...use.conditions, ...use.alternatives.flat()];
  return conditions.flatMap((condition) => {
    switch (condition.kind) {
      case 'prefix': {
        return prefix(use, condition, facts);
      }
      case 'substring': {
        return substring(use.table, condition, facts);
      }
      case 'containment': {
        return containment(use.table, condition);
      }
      case 'range': {
        return brin(use.table, condition);
      }
      default: {
        return [];
      }
    }
  });
}

function prefix({ table, conditions }: TableUse, { key }: Condition, { server }: Facts) {
  const column = columnOf(table, key.column);
  const isBytes = column?.collation === undefined ? server.sortsByBytes : isByteCollation(column);
  const opclass = isBytes ? {} : { opclass: patternOpclass(column) };
  const last: CandidateKey = { ...keyOf(key), ...opclass };
  const reason = `text that begins with a fixed part, in ${key.sql}`;
  const equal = conditions.find(({ kind }) => kind === 'equality' || kind === 'join');
  const plain = proposal(table, 'btree', [last], reason);
  if (equal === undefined || equal.key.sql === key.sql) return [plain];
  return [plain, proposal(table, 'btree', [keyOf(equal.key), last], reason)];
}

function isByteCollation({ collation }: Column): boolean {
  return /"?(?:C|POSIX|ucs_basic|pg_c_utf8)"?$/.test(collation ?? '');
}

function patternOpclass(column: Column | undefined): string {
  return column?.baseType === 'bpchar' ? 'bpchar_pattern_ops' : 'text_pattern_ops';
}

function substring(table: Table, { key }: Condition, { extensions }: Facts): readonly Proposal[] {
  const trigrams = extensions.find(({ name }) => name === 'pg_trgm');
  if (trigrams === undefined) return [];
  const opclass = `${quoteName(trigrams.schema)}.gin_trgm_ops`;
  return [
    proposal(
      table,
      'gin',
      [{ ...keyOf(key), opclass }],
      `text that contains a part, in ${key.sql}`,
    ),
  ];
}

function containment(table: Table, { key, operator = '' }: Condition): readonly Proposal[] {
  if (isConstantColumn(table, key.column)) return [];
  const type = columnOf(table, key.column)?.baseType;
  const reason = `${operator} on ${key.sql}`;
  const plain = proposal(table, 'gin', [keyOf(key)], reason);
  if (type === undefined || type === 'jsonb') {
    // Paths are smaller and faster, but know no existence of keys.
    const paths = proposal(table, 'gin', [{ ...keyOf(key), opclass: 'jsonb_path_ops' }], reason);
    if (EXISTENCE.has(operator)) return [plain];
    return operator === '@>' || operator === '@?' || operator === '@@' ? [paths, plain] : [plain];
  }
  if (type.startsWith('_') || type === 'tsvector') return [plain];
  return RANGE_TYPE.test(type) ? [proposal(table, 'gist', [keyOf(key)], reason)] : [];
}

function brin(table: Table, { key }: Condition): readonly Proposal[] {
  const correlation = statisticsOf(columnOf(table, key.column))?.correlation ?? 0;
  const isLarge = table.size.pages >= BRIN_PAGES || table.kind === 'partitioned';
  if (!isLarge || Math.abs(correlation) < BRIN_CORRELATION) return [];
  return [
    proposal(table, 'brin', [keyOf(key)], `range of ${key.sql}, in whose order the rows lie`),
  ];
}

function keyOf(key: Condition['key']): CandidateKey {
  const { column, expression } = candidateKey({ key, direction: 'asc', nulls: 'last' });
  return column === undefined ? { expression: bare(expression ?? key.sql) } : { column };
}

function proposal(
  { schema, name }: Table,
  method: CandidateIndex['method'],
  keys: readonly CandidateKey[],
  reason: string,
): Proposal {
  return { index: { schema, table: name, method, keys }, reason };
}
