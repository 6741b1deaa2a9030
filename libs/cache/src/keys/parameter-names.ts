/**
 * The names of a function's parameters, from its source; undefined for a parameter that has none,
 * such as `{ id, page }` or `[first]`. The code must not have been minified in a way that renames
 * parameters.
 */
export function parameterNames(method: (...args: never[]) => unknown): (string | undefined)[] {
  return parameterNamesIn(method.toString());
}

/** As `parameterNames`, of the source of a method. */
export function parameterNamesIn(source: string): (string | undefined)[] {
  return parameterList(source).map((parameter) => {
    const name = /^\s*(?:\.{3})?\s*([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*(?:=|$)/u.exec(
      parameter,
    );
    return name?.[1];
  });
}

/** The parts between the commas of the list, without comments. */
function parameterList(source: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let isInside = false;
  for (let at = 0; at < source.length; at += 1) {
    const skipped = lengthOfSkip(source, at);
    if (skipped !== undefined) {
      // A default value, whose text does not matter.
      if (isInside && !source.startsWith('/', at)) part += '_';
      at += skipped - 1;
      continue;
    }
    const character = source[at] as string;
    if (!isInside) {
      if (character === '[') depth += 1;
      else if (character === ']') depth -= 1;
      else if (character === '(' && depth === 0) isInside = true;
      continue;
    }
    if (depth === 0 && (character === ',' || character === ')')) {
      if (part.trim() !== '') parts.push(part);
      part = '';
      if (character === ')') break;
      continue;
    }
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    part += character;
  }
  return parts;
}

const SKIPS = [
  /\/\*[\s\S]*?\*\//y,
  /\/\/.*/y,
  /'(?:[^'\\]|\\[\s\S])*'/y,
  /"(?:[^"\\]|\\[\s\S])*"/y,
  /`(?:[^`\\]|\\[\s\S])*`/y,
];

/** The length of the comment or text that begins here. */
function lengthOfSkip(source: string, at: number): number | undefined {
  if (!`/'"\``.includes(source[at] as string)) return undefined;
  for (const skip of SKIPS) {
    skip.lastIndex = at;
    const match = skip.exec(source);
    if (match !== null) return match[0].length;
  }
  return undefined;
}
