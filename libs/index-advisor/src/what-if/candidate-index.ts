/** One key of an index: a column or an expression, with its order. */
export type CandidateKey = (
  | { readonly column: string; readonly expression?: undefined }
  /** An expression as SQL, such as `lower(email)`, without outer parentheses. */
  | { readonly expression: string; readonly column?: undefined }
) & {
  /** Default `asc`. */
  readonly direction?: 'asc' | 'desc';
  /** Default as in PostgreSQL: last when ascending, first when descending. */
  readonly nulls?: 'first' | 'last';
  /** An operator class other than the type's own, such as `text_pattern_ops`. */
  readonly opclass?: string;
  /** A collation other than the column's, such as `"C"`, as SQL. */
  readonly collation?: string;
};

/** An index that does not exist: what `CREATE INDEX` would be told. */
export interface CandidateIndex {
  readonly schema: string;
  readonly table: string;
  readonly method: IndexMethod;
  readonly keys: readonly CandidateKey[];
  /** Columns that are only stored, for index-only scans. */
  readonly include?: readonly string[];
  /** The predicate of a partial index as SQL, without `WHERE`. */
  readonly where?: string;
}

export type IndexMethod = 'btree' | 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';

/** A name as SQL, in quotes always, so that mixed case and reserved words are safe. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What `CREATE INDEX … ON` takes for a candidate: the table, the method, the keys and the rest. */
export function candidateClause(candidate: CandidateIndex): string {
  const { schema, table, method, keys, include = [], where } = candidate;
  const included =
    include.length === 0
      ? ''
      : ` INCLUDE (${include.map((column) => quoteName(column)).join(', ')})`;
  const predicate = where === undefined ? '' : ` WHERE ${where}`;
  const on = `${quoteName(schema)}.${quoteName(table)}`;
  return `${on} USING ${method} (${keys.map((key) => keyClause(key)).join(', ')})${included}${predicate}`;
}

/** Equal for candidates that would be the same index, whatever they are called. */
export function candidateIdentity(candidate: CandidateIndex): string {
  return candidateClause(candidate);
}

function keyClause(key: CandidateKey): string {
  const direction = key.direction ?? 'asc';
  const usualNulls = direction === 'asc' ? 'last' : 'first';
  const nulls = key.nulls ?? usualNulls;
  return [
    key.column === undefined ? `(${key.expression})` : quoteName(key.column),
    key.collation === undefined ? '' : ` COLLATE ${key.collation}`,
    key.opclass === undefined ? '' : ` ${key.opclass}`,
    direction === 'desc' ? ' DESC' : '',
    nulls === usualNulls ? '' : ` NULLS ${nulls.toUpperCase()}`,
  ].join('');
}
