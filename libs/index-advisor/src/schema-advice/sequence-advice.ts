import type { Finding } from '../finding.js';
import { quoteName } from '../what-if/candidate-index.js';
import type { ColumnSequence } from './read-sequences.js';

const MAX_OF_TYPE = { smallint: 2 ** 15 - 1, integer: 2 ** 31 - 1, bigint: 2 ** 63 - 1 } as const;
/** From this share on there is still time to act. */
const NEAR = 0.5;

/** Columns whose sequence has come far towards the largest number that fits. */
export function adviseSequences(sequences: readonly ColumnSequence[]): readonly Finding[] {
  return sequences.flatMap((sequence) => findingOf(sequence) ?? []);
}

function findingOf(given: ColumnSequence): Finding | undefined {
  const { schema, table, column, columnType, lastValue, maxValue, sequence } = given;
  const largest = Math.min(MAX_OF_TYPE[columnType], maxValue);
  const share = (lastValue ?? 0) / largest;
  if (share < NEAR) return undefined;
  return {
    code: 'sequence-near-its-end',
    object: `${schema}.${table}.${column}`,
    why:
      `${(share * 100).toFixed(0)} % of the numbers that ${column} can hold are given. After the ` +
      'last one every insert fails. The change of the type rewrites the table, so plan it early.',
    evidence: { type: columnType, lastValue, largest, share: Math.round(share * 1000) / 1000 },
    remedy: [
      ...(columnType === 'bigint'
        ? []
        : [
            `ALTER TABLE ${quoteName(schema)}.${quoteName(table)} ` +
              `ALTER COLUMN ${quoteName(column)} TYPE bigint`,
          ]),
      ...(maxValue < MAX_OF_TYPE.bigint
        ? [`ALTER SEQUENCE ${quoteName(schema)}.${quoteName(sequence)} AS bigint`]
        : []),
    ],
    confidence: 'certain',
  };
}
