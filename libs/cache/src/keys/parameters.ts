/** A parameter of a function. */
export interface Parameter {
  /** None for a pattern such as `{ id, page }`. */
  readonly name: string | undefined;
  /** Whether it takes all further arguments, as `...rest`. */
  readonly isRest: boolean;
}

const PARAMETER = /^\s*(\.{3})?\s*([\p{ID_Start}_$][\p{ID_Continue}$]*)?\s*(?:=|$)?/u;

/**
 * The parameters of a method, from its source. The code must not have been minified in a way that
 * renames them.
 */
export function parametersOf(method: (...args: never[]) => unknown): Parameter[] {
  return parametersIn(method.toString());
}

/** As `parametersOf`, of the source of a method. */
export function parametersIn(source: string): Parameter[] {
  return parameterList(source).map((parameter) => {
    const [, dots, name] = PARAMETER.exec(parameter) ?? [];
    return { name, isRest: dots !== undefined };
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
