import type { Node } from 'libpg-query';

/** A node of a syntax tree, such as `{ SelectStmt: … }`; of PostgreSQL's own parser. */
export type SqlNode = Node;

/** PostgreSQL's own parser. */
export interface Grammar {
  /** The statements of a text, or undefined when it is not SQL. */
  parse(text: string): readonly SqlNode[] | undefined;
  /** The same for texts that differ only in spaces, literals and the length of lists. */
  fingerprint(text: string): string | undefined;
  /** The text with `$n` in place of every literal, so that it can be shown. */
  normalize(text: string): string | undefined;
}

let loading: Promise<Grammar> | undefined;

/** The parser, loaded when it is first asked for: it takes a tenth of a second. */
export function loadGrammar(): Promise<Grammar> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Grammar> {
  const parser = await import('libpg-query');
  await parser.loadModule();
  // They compute in memory, so there is nothing to wait for.
  const { parseSync: parse, fingerprintSync: fingerprint, normalizeSync: normalize } = parser;
  return {
    parse: (text) =>
      attempt(() => {
        const { stmts = [] } = parse(text);
        return stmts.flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
      }),
    fingerprint: (text) => attempt(() => fingerprint(text)),
    normalize: (text) => attempt(() => normalize(text)),
  };
}

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    // A text that the parser does not know is an expected outcome: its callers leave it out.
    return undefined;
  }
}

/** Every node of a kind below a value of a syntax tree, in the text's order. */
export function nodesOf<Kind extends string>(
  value: unknown,
  kind: Kind,
): readonly Extract<SqlNode, { readonly [Key in Kind]: unknown }>[Kind][] {
  return fieldsOf(value, kind) as Extract<SqlNode, { readonly [Key in Kind]: unknown }>[Kind][];
}

/** The values of all fields of a name below a value of a syntax tree. */
export function fieldsOf(value: unknown, name: string): readonly unknown[] {
  const found: unknown[] = [];
  const visit = (current: unknown): void => {
    if (typeof current !== 'object' || current === null) return;
    for (const [key, child] of Object.entries(current)) {
      if (key === name) found.push(child);
      visit(child);
    }
  };
  visit(value);
  return found;
}
