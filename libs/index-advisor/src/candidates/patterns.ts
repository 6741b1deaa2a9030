import type { SqlNode } from '../workload/grammar.js';

/**
 * What an index could do for a pattern: find its fixed start, or any part of it. A pattern that is
 * not known is planned for any value, which a fixed start does not help.
 */
export function patternKinds(
  operator: string,
  pattern: SqlNode | undefined,
  parameters: readonly unknown[] | undefined,
): readonly ('prefix' | 'substring')[] {
  const text = textOf(pattern, parameters);
  switch (operator) {
    case '~~': {
      if (text === undefined || /^[%_]/.test(text)) return ['substring'];
      // `ab%` needs nothing but the start.
      return /^[^%_\\]+%$/.test(text) ? ['prefix'] : ['prefix', 'substring'];
    }
    case '~': {
      return text !== undefined && /^\^\w/.test(text) ? ['prefix', 'substring'] : ['substring'];
    }
    case '~~*':
    case '~*': {
      return ['substring'];
    }
    default: {
      return [];
    }
  }
}

function textOf(
  node: SqlNode | undefined,
  parameters: readonly unknown[] | undefined,
): string | undefined {
  if (node === undefined) return undefined;
  if ('TypeCast' in node) return textOf(node.TypeCast.arg, parameters);
  if ('A_Const' in node) return node.A_Const.sval?.sval;
  if (!('ParamRef' in node)) return undefined;
  const value = parameters?.[(node.ParamRef.number ?? 0) - 1];
  return typeof value === 'string' ? value : undefined;
}
