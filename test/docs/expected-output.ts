/**
 * Compares what a command printed with what a document shows. The rule, which the documents state
 * too: `…` stands for anything within a line, and a line of `…` alone for any number of lines.
 * Everything else has to be the same, but for space at the end of lines.
 */
export function matchesShown(shown: string, printed: string): boolean {
  return matchLines(lines(shown), lines(printed));
}

const ANYTHING = '…';

function lines(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trimEnd());
}

function matchLines(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (first.trim() === ANYTHING) {
    return printed.some((_, index) => matchLines(rest, printed.slice(index))) || rest.length === 0;
  }
  const [line, ...others] = printed;
  return line !== undefined && patternOf(first).test(line) && matchLines(rest, others);
}

function patternOf(line: string): RegExp {
  const literal = line
    .split(ANYTHING)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
