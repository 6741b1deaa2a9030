import { describe, expect, it } from '@jest/globals';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { documentPaths } from './markdown.js';

const documents = await Promise.all(
  (await documentPaths()).map(async (path) => ({ path, text: await readFile(path, 'utf8') })),
);
const textOf = (path: string): string => documents.find((one) => one.path === path)?.text ?? '';

describe('the documents', () => {
  it.each(documents)('link to files that are there: $path', async ({ path, text }) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)];
    for (const [, target = ''] of links) {
      await expect(stat(join(dirname(path), target))).resolves.toBeDefined();
    }
  });

  it('are all named in the README', async () => {
    for (const { path } of documents.filter((one) => one.path !== 'README.md')) {
      expect(textOf('README.md')).toContain(`](${path})`);
    }
  });

  it('tell of every lib', async () => {
    const { libs, named } = await readLibs();
    for (const name of libs) {
      expect(textOf('docs/architecture.md')).toContain(`| \`${name}\` `);
      expect(named).toContain(name);
    }
  });

  it('tell of every npm script that a person would call', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const all = documents.map(({ text }) => text).join('\n');
    const missing = Object.keys(scripts).filter(
      (name) => !all.includes(['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('speak of no script that does not exist', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const { path, text } of documents) {
      for (const [, name = ''] of text.matchAll(/npm run (?:--silent )?([a-z:]+)/g)) {
        expect({ path, name, exists: name in scripts }).toEqual({ path, name, exists: true });
      }
    }
  });
});

async function readLibs(): Promise<{ libs: string[]; named: string[] }> {
  const folders = await readdir('libs');
  const libs = await Promise.all(
    folders.map(async (name) => ((await isFile(`libs/${name}/src/index.ts`)) ? [name] : [])),
  );
  const [, list = ''] = /in layers: ([a-z, ]+)/.exec(textOf('README.md')) ?? [];
  return { libs: libs.flat(), named: list.trim().split(', ') };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
