/** The elements of a one-dimensional array literal as PostgreSQL writes it; NULL is null. */
export function arrayElements(literal: string): readonly (string | null)[] {
  const elements: (string | null)[] = [];
  // An element in quotes with escapes, or one without either.
  for (const [, quoted, plain] of literal.slice(1, -1).matchAll(ELEMENT)) {
    if (quoted !== undefined) elements.push(quoted.replaceAll(/\\(.)/gs, '$1'));
    else elements.push(plain === 'NULL' ? null : (plain ?? null));
  }
  return elements;
}

const ELEMENT = /(?:"((?:[^"\\]|\\.)*)"|([^",]+))(?:,|$)/gs;
