import type { z } from 'zod';
import { PantheonError } from '#libs/core';

/**
 * What the command line says, validated.
 * @throws PantheonError that names each faulty option
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
): z.infer<Schema> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  throw new PantheonError('ARGUMENTS_INVALID', 'The command line is not valid.', {
    kind: 'invalid',
    faults: result.error.issues.map(({ path, code, message }) => ({
      path: optionName(path),
      code,
      message,
    })),
  });
}

/** `databaseUrl` becomes `--database-url`. */
function optionName(path: readonly PropertyKey[]): string {
  const name = String(path[0] ?? '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === '' ? 'arguments' : `--${name}`;
}
