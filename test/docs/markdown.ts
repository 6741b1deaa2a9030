import { readdir } from 'node:fs/promises';

/** A fenced block of a document. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of its fence, from 1. */
  readonly line: number;
  /** The heading above it. */
  readonly heading: string;
}

/** The documents for people. */
export async function documentPaths(): Promise<string[]> {
  const names = await readdir('docs', { recursive: true });
  return [
    'README.md',
    ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
}

/** Every fenced block of a Markdown text, in order. */
export function fencedBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  let heading = '';
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.lines.push(line);
      else {
        const { language, line: first, lines } = open;
        blocks.push({ language, text: lines.join('\n'), line: first, heading });
        open = undefined;
      }
    } else if (fence !== null) {
      open = { language: fence[1] ?? '', line: index + 1, lines: [] };
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  }
  return blocks;
}
