import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KeyvIncompatibleError } from '../errors/keyv-incompatible.error.js';

const SUPPORTED_MAJOR = 5;

/** The version of the `keyv` that is resolved from here; undefined when there is none. */
export function resolvedKeyvVersion(from: string | URL = import.meta.url): string | undefined {
  try {
    let folder = dirname(createRequire(from).resolve('keyv'));
    for (;;) {
      const manifest = readManifest(join(folder, 'package.json'));
      if (manifest?.name === 'keyv') return manifest.version;
      const parent = dirname(folder);
      if (parent === folder) return undefined;
      folder = parent;
    }
  } catch {
    return undefined;
  }
}

/**
 * Throws `KeyvIncompatibleError` when another major than 5 is installed: cache-manager 7 misses on
 * every read with Keyv 6, and says nothing.
 */
export function assertKeyvMajor(version: string | undefined = resolvedKeyvVersion()): void {
  if (version === undefined) return;
  if (Number(version.split('.')[0]) !== SUPPORTED_MAJOR) throw new KeyvIncompatibleError(version);
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    // eslint-disable-next-line node/no-sync -- read once, when the process starts
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
  } catch {
    return undefined;
  }
}
