import { readdir, readFile } from 'node:fs/promises';

/** A source file of the programs. */
export interface ProgramSource {
  readonly path: string;
  readonly content: string;
}

/** Everything that the programs in `apps` are made of, and the libs among it. */
export interface Programs {
  readonly sources: readonly ProgramSource[];
  readonly libs: ReadonlySet<string>;
}

/** Reads the sources of the programs and of every lib that they import, tests left out. */
export async function readPrograms(): Promise<Programs> {
  const sources = await sourcesBelow('apps');
  const libs = new Set<string>();
  for (const { content } of sources) {
    for (const [, name = ''] of content.matchAll(/'#libs\/([a-z-]+)'/g)) {
      if (libs.has(name)) continue;
      libs.add(name);
      // The list grows while it is walked, until no lib imports another one.
      sources.push(...(await sourcesBelow(`libs/${name}`)));
    }
  }
  return { sources, libs };
}

async function sourcesBelow(folder: string): Promise<ProgramSource[]> {
  const names = await readdir(folder, { recursive: true });
  const paths = names
    .map((name) => `${folder}/${name}`)
    .filter((path) => /\/src\/.*\.ts$/.test(path) && !/spec\.ts$|\/testing\//.test(path));
  return Promise.all(paths.map(async (path) => ({ path, content: await readFile(path, 'utf8') })));
}
