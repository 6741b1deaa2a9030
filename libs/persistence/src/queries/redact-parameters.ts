import { MASK, SecretNames } from '#libs/logging';

/** `"column" = $1`, with any comparison; also `column LIKE $1`, `column = ANY($1)`. */
const COMPARED =
  /"?(\w+)"?\s*(?:=|<>|!=|<=?|>=?|~~?\*?|@@|@>|<@|\bi?like\b|\bin\b|\bis\b)\s*(?:any\s*)?\(?\s*\$(\d+)/gi;
const INSERTED = /insert\s+into\s+[\w".]+\s*\(([^)]*)\)\s*values\s*\(([^)]*)\)/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const secrets = new SecretNames();

/**
 * The parameters of a statement as they may be shown: numbers, truth values, times and UUIDs as they
 * are, of texts and lists only the size, and nothing at all of columns whose name tells of a secret.
 */
export function redactParameters(text: string, values: readonly unknown[]): unknown[] {
  const columns = columnsOf(text);
  return values.map((value, index) => {
    const column = columns.get(index + 1);
    return column !== undefined && secrets.isSecret(column, value) ? MASK : sizeOnly(value);
  });
}

function sizeOnly(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return UUID.test(value) ? value : `text of ${value.length}`;
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `bytes of ${value.byteLength}`;
  return 'object';
}

/** The columns that parameters are compared with or stored in, as far as the text shows it. */
function columnsOf(text: string): Map<number, string> {
  const columns = new Map<number, string>();
  for (const [, column = '', number] of text.matchAll(COMPARED)) {
    columns.set(Number(number), column);
  }
  const [, names = '', values = ''] = INSERTED.exec(text) ?? [];
  const stored = values.split(',');
  for (const [index, name] of names.split(',').entries()) {
    const number = /^\s*\$(\d+)\b/.exec(stored[index] ?? '')?.[1];
    if (number !== undefined) columns.set(Number(number), name.replaceAll(/[\s"]/g, ''));
  }
  return columns;
}

/** A plan without the literals that PostgreSQL puts into its conditions. */
export function redactPlan(plan: unknown): unknown {
  const json = JSON.stringify(plan, (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(/'(?:[^']|'')*'/g, `'${MASK}'`) : value,
  );
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}
