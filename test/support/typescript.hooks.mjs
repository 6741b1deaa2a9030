import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { swcOptions } from './swc-options.mjs';

/**
 * Module hooks that let Node import this project's TypeScript sources as they are. Jest transforms
 * what it runs itself, but loads its global set-up through Node.
 */
export async function resolve(specifier, context, next) {
  const conditions = [...context.conditions, 'source'];
  const isOwnSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts') === true;
  const source = isOwnSource ? specifier.replace(/\.js$/, '.ts') : specifier;
  return next(source, { ...context, conditions });
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { ...swcOptions, filename });
  return { format: 'module', source: code, shortCircuit: true };
}
