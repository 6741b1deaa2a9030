import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { KeyedEntry } from './ingest-input.js';
import { markdownInput, sectionEntries } from './markdown-input.js';

const MAX_TEXT_BYTES = 10_000;

function keysOf(markdown: string): string[] {
  return [...sectionEntries('a.md', markdown, MAX_TEXT_BYTES)].map((entry) => entry.externalKey);
}

describe('sections as entries', () => {
  it('keeps the text and says where it stands', () => {
    const markdown = '# Guide\n\nIntro.\n\n## Set up\n\nRun it.\n';
    expect([...sectionEntries('docs/a.md', markdown, MAX_TEXT_BYTES)]).toEqual([
      expect.objectContaining({
        text: '# Guide\nIntro.',
        externalKey: 'markdown:docs/a.md#guide',
      }),
      {
        text: '## Set up\nRun it.',
        type: 'section',
        author: 'docs/a.md',
        externalKey: 'markdown:docs/a.md#set-up',
        metadata: { path: 'docs/a.md', heading: 'Set up', level: 2, above: ['Guide'] },
      },
    ]);
  });

  it('gives headings of the same name keys of their own', () => {
    expect(keysOf('# A\n\nx\n\n# A\n\ny\n')).toEqual(['markdown:a.md#a', 'markdown:a.md#a~2']);
  });

  it('leaves the other keys alone when a section is put in between', () => {
    const before = keysOf('# One\n\nx\n\n# Three\n\ny\n');
    const after = keysOf('# One\n\nx\n\n# Two\n\nz\n\n# Three\n\ny\n');
    expect(after.filter((key) => before.includes(key))).toEqual(before);
  });

  it('cuts a section that is too long, each piece with its own key', () => {
    const entries = [...sectionEntries('a.md', `# A\n\n${'word '.repeat(5000)}`, MAX_TEXT_BYTES)];
    expect(entries.map((entry) => entry.externalKey)).toEqual([
      'markdown:a.md#a',
      'markdown:a.md#a~2',
      'markdown:a.md#a~3',
    ]);
    for (const { text } of entries) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000);
  });

  it('keeps keys within what an entry may have, however long path and heading are', () => {
    const entries = [...sectionEntries('p/'.repeat(400), `# ${'h🙂'.repeat(500)}\n\nx`, 10_000)];
    for (const { externalKey, author } of entries) {
      expect(externalKey.length).toBeLessThanOrEqual(512);
      expect(author?.length).toBeLessThanOrEqual(256);
    }
  });
});

describe('Markdown files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pantheon md '));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  async function read(patterns: readonly string[]) {
    const input = await markdownInput(patterns, folder);
    let units = 0;
    const entries: KeyedEntry[] = [];
    const onUnit = (): void => void (units += 1);
    for await (const entry of input.entries({ maxTextBytes: MAX_TEXT_BYTES, onUnit })) {
      entries.push(entry);
    }
    return { input, units, entries };
  }

  it('reads what the patterns match, in a stable order, and follows no links to folders', async () => {
    write('node_modules/b/README.md', '# B\n\nb');
    write('node_modules/a/README.md', '# A\n\na');
    write('node_modules/a/other.txt', '# C\n\nc');
    symlinkSync(folder, join(folder, 'node_modules/loop'));
    const { input, units, entries } = await read(['node_modules/**/*.md']);
    expect(input.total).toBe(2);
    expect(units).toBe(2);
    expect(entries.map((entry) => entry.externalKey)).toEqual([
      'markdown:node_modules/a/README.md#a',
      'markdown:node_modules/b/README.md#b',
    ]);
  });

  it('refuses patterns that match nothing', async () => {
    await expect(markdownInput(['*.md'], folder)).rejects.toMatchObject({
      code: 'INGEST_NO_FILES',
      faults: [expect.objectContaining({ path: '--glob' })],
    });
  });

  it('leaves out a file that has gone, says so, and protects its entries from pruning', async () => {
    write('a.md', '# A\n\na');
    write('b.md', '# B\n\nb');
    const input = await markdownInput(['*.md'], folder);
    rmSync(join(folder, 'b.md'));
    const keys: string[] = [];
    const onUnit = (): void => undefined;
    for await (const entry of input.entries({ maxTextBytes: MAX_TEXT_BYTES, onUnit })) {
      keys.push(entry.externalKey);
    }
    expect(keys).toEqual(['markdown:a.md#a']);
    expect(input.skipped).toEqual([expect.objectContaining({ path: 'b.md' })]);
    expect(input.isSkipped('markdown:b.md#b')).toBe(true);
    expect(input.isSkipped('markdown:a.md#gone')).toBe(false);
  });
});
