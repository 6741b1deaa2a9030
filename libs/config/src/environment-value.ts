import type { z } from 'zod';

/**
 * Turns the text of an environment variable into what `schema` wants to validate: booleans from
 * true/false/1/0, numbers, comma-separated lists, JSON for objects. A text that does not fit is
 * returned as it is, so that the schema reports it.
 */
export function parseEnvironmentValue(schema: z.ZodType, text: string): unknown {
  const inner = unwrap(schema);
  switch (inner.def.type) {
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase()) ?? text;
    case 'number':
    case 'int':
      return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
    case 'array':
      return text.split(',').map((item) => item.trim());
    case 'object':
    case 'record':
      return parseJson(text);
    default:
      return text;
  }
}

const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  while ('innerType' in current.def) current = current.def.innerType as z.ZodType;
  return current;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
