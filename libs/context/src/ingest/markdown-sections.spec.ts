import { describe, expect, it } from '@jest/globals';
import { markdownSections, type MarkdownSection } from './markdown-sections.js';

const split = (markdown: string): MarkdownSection[] => [...markdownSections(markdown)];
const headings = (markdown: string): string[] => split(markdown).map(({ heading }) => heading);

describe('sections of Markdown', () => {
  it('are a heading with what follows it', () => {
    expect(split('Intro\n\n# One\n\nText\n\n## Two ##\nMore\n')).toEqual([
      { heading: '', level: 0, path: [], text: 'Intro', body: 'Intro', line: 1 },
      { heading: 'One', level: 1, path: [], text: '# One\nText', body: 'Text', line: 3 },
      { heading: 'Two', level: 2, path: ['One'], text: '## Two ##\nMore', body: 'More', line: 7 },
    ]);
  });

  it('know the headings above them', () => {
    const paths = split('# A\n## B\n#### C\n## D\n# E\n### F').map(({ path }) => path);
    expect(paths).toEqual([[], ['A'], ['A', 'B'], ['A'], [], ['E']]);
  });

  it('begin at underlined headings too, but not at rules, tables and lists', () => {
    const [one, two] = split('One\n===\ntext\n\nTwo\n---\nmore');
    expect(one).toMatchObject({ heading: 'One', level: 1, text: 'One\n===\ntext', line: 1 });
    expect(two).toMatchObject({ heading: 'Two', level: 2, path: ['One'], line: 5 });
    expect(headings('text\n\n---\n\nmore')).toEqual(['']);
    expect(headings('- item\n---\nmore')).toEqual(['']);
    expect(headings('| a | b |\n---\n')).toEqual(['']);
  });

  it('do not begin inside fenced code', () => {
    expect(headings('# A\n```sh\n# not a heading\n```\n# B')).toEqual(['A', 'B']);
    expect(headings('# A\n~~~~\n```\n# no\n~~~\n# no\n~~~~\n# B')).toEqual(['A', 'B']);
    expect(headings('# A\n```\n# never closed')).toEqual(['A']);
  });

  it('show headings as a reader sees them', () => {
    const markdown = [
      '# A `code` and **bold** _em_ snake_case',
      '# [Link](http://x.example) and [ref][1] ![img](a.png)',
      '# <a name="x"></a> Named \\*star\\* #',
      '#Not a heading',
      '####### Nor this',
    ].join('\n');
    expect(headings(markdown)).toEqual([
      'A code and bold em snake_case',
      'Link and ref img',
      'Named *star*',
    ]);
  });

  it('without a word are left out', () => {
    expect(headings('# \n\n***\n\n# A')).toEqual(['A']);
    expect(headings('')).toEqual([]);
  });

  it('do not mind how lines end', () => {
    expect(headings('\uFEFF# A\r\ntext\r\n# B\rtext')).toEqual(['A', 'B']);
  });

  it('give back every word of the document', () => {
    const markdown = '# A\nx\n\nB\n===\ny\n```\n# z\n```\n## C\n- q\n';
    const words = (text: string): string[] => text.match(/\w+/g) ?? [];
    expect(split(markdown).flatMap(({ text }) => words(text))).toEqual(words(markdown));
  });
});
