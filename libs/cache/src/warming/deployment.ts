import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

/** What runs: the name of the program, and a digest of its file, which changes with every build. */
export async function programOf(
  file = process.argv[1] ?? '',
): Promise<{ readonly program: string; readonly version: string }> {
  const bytes = await readFile(file).catch(() => Buffer.from(process.version));
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { program: basename(file), version };
}
