/** A section of a Markdown document: a heading and what follows it up to the next heading. */
export interface MarkdownSection {
  /** Plain text of the heading; empty for what stands before the first heading. */
  readonly heading: string;
  /** 1 to 6; 0 for what stands before the first heading. */
  readonly level: number;
  /** Headings above this one, outermost first. */
  readonly path: readonly string[];
  /** Heading and body as written. */
  readonly text: string;
  /** The body alone. */
  readonly body: string;
  /** Line of the heading, from 1. */
  readonly line: number;
}

const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
/** A line that starts a list, a quote, a table or a fence is no paragraph to underline. */
const NO_PARAGRAPH = /^(\s*$| {4}|\t| {0,3}([-*+>|#]|\d+[.)]|`{3}|~{3}))/;

/**
 * Splits Markdown (CommonMark's ATX and setext headings, outside of fenced code) into sections.
 * Sections without a word are left out.
 */
export function* markdownSections(markdown: string): Generator<MarkdownSection> {
  const lines = markdown.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  let open: OpenSection = { heading: '', level: 0, path: [], headingLines: [], body: [], line: 1 };
  let fence: string | undefined;
  for (const [index, line] of lines.entries()) {
    const marker = FENCE.exec(line)?.[1];
    if (fence === undefined && marker !== undefined) {
      fence = marker;
    } else if (fence !== undefined) {
      if (closes(line, fence)) fence = undefined;
    } else {
      const next = atxHeading(line) ?? setextHeading(line, open);
      if (next !== undefined) {
        const closed = close(open);
        if (closed !== undefined) yield closed;
        open = {
          heading: plainText(next.title),
          level: next.level,
          path: pathTo(open, next.level),
          headingLines: next.lines,
          body: [],
          line: index + 2 - next.lines.length,
        };
        continue;
      }
    }
    open.body.push(line);
  }
  const closed = close(open);
  if (closed !== undefined) yield closed;
}

interface OpenSection {
  readonly heading: string;
  readonly level: number;
  readonly path: readonly { readonly level: number; readonly heading: string }[];
  readonly headingLines: readonly string[];
  readonly body: string[];
  readonly line: number;
}

interface Heading {
  readonly title: string;
  readonly level: number;
  readonly lines: readonly string[];
}

function atxHeading(line: string): Heading | undefined {
  const match = HEADING.exec(line);
  if (match === null) return undefined;
  return { title: match[2] ?? '', level: match[1]?.length ?? 1, lines: [line] };
}

/** An underlined line; it was taken for body, and is taken back. */
function setextHeading(line: string, { body }: OpenSection): Heading | undefined {
  const title = body.at(-1);
  if (title === undefined || !UNDERLINE.test(line) || NO_PARAGRAPH.test(title)) return undefined;
  body.pop();
  return { title, level: line.includes('=') ? 1 : 2, lines: [title, line] };
}

function closes(line: string, fence: string): boolean {
  const marker = FENCE.exec(line)?.[1];
  return (
    marker !== undefined &&
    marker[0] === fence[0] &&
    marker.length >= fence.length &&
    line.trim() === marker
  );
}

function pathTo(before: OpenSection, level: number): OpenSection['path'] {
  const all = before.level === 0 ? [] : [...before.path, before];
  return all
    .filter((heading) => heading.level < level)
    .map(({ level, heading }) => ({ level, heading }));
}

function close(open: OpenSection): MarkdownSection | undefined {
  const body = open.body.join('\n').trim();
  const text = [...open.headingLines, body].join('\n').trim();
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined;
  const path = open.path.map(({ heading }) => heading);
  return { heading: open.heading, level: open.level, path, text, body, line: open.line };
}

/** Where escaped punctuation is out of the way of what looks for marks. */
const PRIVATE_USE = 0xe000;

/** What a reader sees of a heading: no links, images, tags or marks. */
function plainText(title: string): string {
  return title
    .replaceAll(/\\([!-/:-@[-`{-~])/g, (_, mark: string) =>
      String.fromCharCode(PRIVATE_USE + mark.charCodeAt(0)),
    )
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])?/g, '$1')
    .replaceAll(/[`*~]+|(?<!\w)_+|_+(?!\w)/g, '')
    .replaceAll(/[\ue021-\ue07e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - PRIVATE_USE))
    .replaceAll(/\s+/g, ' ')
    .trim();
}
