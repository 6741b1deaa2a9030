import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the program of a worker thread is: `<name>.thread.ts` beside the module at `moduleUrl`
 * (its `import.meta.url`), compiled or not, or in the folder `threads` of the bundled programs.
 * @throws Error when it is in none of these places
 */
export function threadFile(name: string, moduleUrl: string): URL {
  const file = `${name}.thread${extname(fileURLToPath(moduleUrl))}`;
  const places = [`./${file}`, `./threads/${file}`, `../threads/${file}`];
  const found = places
    .map((place) => new URL(place, moduleUrl))
    // Once for each program.
    // oxlint-disable-next-line node/no-sync
    .find((url) => existsSync(fileURLToPath(url)));
  if (found === undefined) throw new Error(`There is no program of a thread ${file}.`);
  return found;
}

/**
 * What Node has to be told to run a program found by `threadFile`: nothing but for sources, which only
 * tests run, and which say how in the environment.
 */
export function threadExecArgv(file: URL): string[] {
  const { PANTHEON_TEST_THREAD_IMPORT: hooks } = process.env;
  return file.pathname.endsWith('.ts') && hooks !== undefined ? [`--import=${hooks}`] : [];
}
