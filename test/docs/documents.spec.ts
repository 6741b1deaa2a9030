import { describe, expect, it } from '@jest/globals';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { documentPaths } from './markdown.js';
import { readPrograms } from './program-sources.js';

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

  it('tell of every lib that the programs are made of', async () => {
    const { libs } = await readPrograms();
    const [, list = ''] = /in layers: ([a-z, -]+)/.exec(textOf('README.md')) ?? [];
    expect(libs.size).toBeGreaterThan(5);
    for (const name of libs) {
      expect(textOf('docs/architecture.md')).toContain(`| \`${name}\` `);
      expect(list.trim().split(', ')).toContain(name);
    }
  });

  it('tell of every npm script that a person would call', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const all = documents.map(({ text }) => text).join('\n');
    const called = Object.keys(scripts).filter((name) => !name.startsWith('bench:'));
    const missing = called.filter(
      (name) => !all.includes(['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('speak of no script that does not exist', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const { path, text } of documents) {
      for (const [, name = ''] of text.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*[a-z])/g)) {
        expect({ path, name, exists: name in scripts }).toEqual({ path, name, exists: true });
      }
    }
  });
});
