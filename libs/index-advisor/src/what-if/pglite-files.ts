import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A module of PGlite that brings an extension, and the name that it exports. */
export interface PgliteExtension {
  readonly module: string;
  readonly exported: string;
}

/** The module of PGlite as a URL, for a thread that loads it by itself. */
export function pgliteModule(): string {
  return pathToFileURL(join(distribution(), 'index.js')).href;
}

/** A `WebAssembly.Module`, which threads share. */
export type CompiledProgram = object;

/** What of the global is used; its types come only with those of browsers. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<CompiledProgram> };

/** Compiles PGlite's program, for sessions that follow each other. */
export async function compilePglite(): Promise<CompiledProgram> {
  return WebAssembly.compile(await readFile(join(distribution(), 'pglite.wasm')));
}

/** PGlite's version; data folders of one version are not read by another. */
export async function pgliteVersion(): Promise<string> {
  const manifest = await readFile(join(distribution(), '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The extension of this name that PGlite brings, or undefined. */
export async function pgliteExtension(name: string): Promise<PgliteExtension | undefined> {
  // The package calls uuid-ossp uuid_ossp.
  const exported = name.replaceAll('-', '_');
  const file = join(distribution(), 'contrib', `${exported}.js`);
  try {
    await access(file);
    return { module: pathToFileURL(file).href, exported };
  } catch {
    return undefined;
  }
}

/** Where its files are; the package is never bundled, because it finds them by their path. */
function distribution(): string {
  return dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
}
