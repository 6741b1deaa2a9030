/** What PostgreSQL's own parser says of a text. */
export interface QueryShape {
  /** The same for texts that differ only in spaces, literals, and the length of lists. */
  readonly fingerprint: string;
  /** The text with `$n` in place of every literal. */
  readonly normalized: string;
}

type Parser = typeof import('libpg-query');

/** Texts whose shape is remembered; to compute one takes a quarter of a millisecond. */
const MAX_REMEMBERED = 2_000;

/**
 * PostgreSQL's parser (libpg-query), loaded when it is first asked: it takes a tenth of a second and
 * some megabytes that a process whose queries are all fast never needs.
 */
export class QueryGrammar {
  private parser: Promise<Parser> | undefined;
  private readonly shapes = new Map<string, QueryShape>();

  async shapeOf(text: string): Promise<QueryShape> {
    const known = this.shapes.get(text);
    if (known !== undefined) return known;
    const { fingerprint, normalize } = await this.load();
    let shape: QueryShape;
    try {
      shape = { fingerprint: await fingerprint(text), normalized: await normalize(text) };
    } catch {
      // Not SQL that PostgreSQL 18 knows. Its literals are unknown too, so none of it is shown.
      shape = { fingerprint: 'unknown', normalized: 'a text that could not be parsed' };
    }
    if (this.shapes.size >= MAX_REMEMBERED) this.shapes.clear();
    this.shapes.set(text, shape);
    return shape;
  }

  private load(): Promise<Parser> {
    this.parser ??= loadParser();
    return this.parser;
  }
}

async function loadParser(): Promise<Parser> {
  const parser = await import('libpg-query');
  await parser.loadModule();
  return parser;
}
