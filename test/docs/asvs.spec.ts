import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';

/** Requirements of level 2 by section: the last number of each, and numbers that were deleted. */
const SECTIONS: readonly (readonly [section: string, last: number, deleted: readonly number[]])[] =
  [
    ['2.1', 12, []],
    ['2.2', 3, []],
    ['2.3', 3, []],
    ['2.4', 5, []],
    ['2.5', 7, []],
    ['2.6', 3, []],
    ['2.7', 6, []],
    ['2.8', 7, []],
    ['2.9', 3, []],
    ['2.10', 4, []],
    ['3.1', 1, []],
    ['3.2', 4, []],
    ['3.3', 4, []],
    ['3.4', 5, []],
    ['3.5', 3, []],
    ['3.7', 1, []],
    ['4.1', 5, [4]],
    ['4.2', 2, []],
    ['4.3', 3, []],
    ['13.1', 5, [2]],
    ['13.2', 6, [4]],
    ['13.3', 2, []],
    ['13.4', 2, []],
  ];

const document = await readFile('docs/security.md', 'utf8');
const [, chapter = ''] = document.split('\n## ASVS\n');
const rows = [...chapter.matchAll(/^\| (\d+\.\d+\.\d+) +\| (.+?) +\| (\S+) +\| (.*?) *\|$/gm)].map(
  ([, id = '', what = '', state = '', how = '']) => ({ id, what, state, how }),
);
const tests = rows.flatMap(({ id, how }) =>
  [...how.matchAll(/`([^`]+)` “([^”]+)”/g)].map(([, path = '', title = '']) => ({
    id,
    path,
    title,
  })),
);

describe('the table of the ASVS', () => {
  it('has every requirement of level 2 of its chapters once, in order', () => {
    const expected = SECTIONS.flatMap(([section, last, deleted]) =>
      Array.from({ length: last }, (_, index) => index + 1)
        .filter((number) => !deleted.includes(number))
        .map((number) => `${section}.${number}`),
    );
    expect(rows.map(({ id }) => id)).toEqual(expected);
  });

  it('names a test for what is met, and a reason for what is not', () => {
    for (const { id, state, how } of rows) {
      const isShown = tests.some((test) => test.id === id);
      if (state === 'met' || state === 'partly') expect([id, isShown]).toEqual([id, true]);
      else expect([id, ['open', 'n/a'].includes(state), how.length > 10]).toEqual([id, true, true]);
      const reason = how.split('`test/')[0]?.split('`libs/')[0] ?? '';
      if (state === 'partly') expect([id, reason]).toEqual([id, expect.stringMatching(/\w{3}/)]);
    }
  });

  it('counts its rows right', () => {
    const count = (state: string) => rows.filter((row) => row.state === state).length;
    expect(chapter.replaceAll('\n', ' ')).toContain(
      `Of ${rows.length} requirements ${count('met')} are met, ${count('partly')} partly, ` +
        `${count('open')} are open, and ${count('n/a')} do not apply.`,
    );
  });

  it.each(tests)('names a test that is there: $id $title', async ({ path, title }) => {
    const source = await readFile(path, 'utf8');
    const isThere = [`'`, `"`, '`'].some((quote) => source.includes(quote + title + quote));
    expect({ path, title, isThere }).toEqual({ path, title, isThere: true });
  });
});
