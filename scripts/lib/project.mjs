import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder of package.json. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the project. */
export function inProject(...parts) {
  return join(root, ...parts);
}

/** The text of a file, or undefined when it cannot be read. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

/** Tells the user what is going on; standard output belongs to the program that is started. */
export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/** Ends with a sentence instead of a stack trace. */
export function giveUp(sentence) {
  say(sentence);
  process.exit(1);
}

/** Runs a built program in this process, as if `node` had been called with it. */
export async function runBuilt(path) {
  const program = inProject(path);
  process.argv[1] = program;
  await import(pathToFileURL(program).href);
}
