import { createHash } from 'node:crypto';
import { markdownSections, type MarkdownSection } from '#libs/context';
import { shortened, storableTexts } from './entry-texts.js';
import type { IngestInput, KeyedEntry, SkippedInput } from './ingest-input.js';
import { findFiles, readDocuments } from './markdown-files.js';

const KEY_PREFIX = 'markdown:';
const MAX_ANCHOR_LENGTH = 100;
const MAX_PATH_LENGTH = 256;
const MAX_HEADING_LENGTH = 256;

/** Markdown files below `cwd`, an entry for each section. */
export async function markdownInput(
  patterns: readonly string[],
  cwd: string,
): Promise<IngestInput> {
  const paths = await findFiles(patterns, cwd);
  const skipped: SkippedInput[] = [];
  const skippedKeys = new Set<string>();
  return {
    kind: 'document',
    unit: 'files',
    total: paths.length,
    keyPrefix: KEY_PREFIX,
    skipped,
    isSkipped: (key) => skippedKeys.has(key.slice(0, key.lastIndexOf('#'))),
    async *entries({ maxTextBytes, onUnit }) {
      for await (const document of readDocuments(paths, cwd)) {
        if ('text' in document) {
          yield* sectionEntries(document.path, document.text, maxTextBytes);
        } else {
          skipped.push(document.skipped);
          skippedKeys.add(documentKey(document.path));
        }
        onUnit();
      }
    },
  };
}

/**
 * The sections of a document as entries. A key is made of the path and the heading, not of the
 * position, so that a new section above leaves the others what they are.
 */
export function* sectionEntries(
  path: string,
  markdown: string,
  maxTextBytes: number,
): Generator<KeyedEntry> {
  const anchors = new Map<string, number>();
  const document = documentKey(path);
  for (const section of markdownSections(markdown)) {
    for (const text of storableTexts(section.text, maxTextBytes)) {
      const anchor = anchorOf(section.heading);
      const count = (anchors.get(anchor) ?? 0) + 1;
      anchors.set(anchor, count);
      yield {
        text,
        type: 'section',
        author: shortened(path, MAX_PATH_LENGTH),
        externalKey: `${document}#${count === 1 ? anchor : `${anchor}~${count}`}`,
        metadata: metadataOf(path, section),
      };
    }
  }
}

function metadataOf(path: string, { heading, path: above, level }: MarkdownSection) {
  return {
    path,
    heading: shortened(heading, MAX_HEADING_LENGTH),
    level,
    above: above.slice(0, 6).map((title) => shortened(title, MAX_HEADING_LENGTH)),
  };
}

function documentKey(path: string): string {
  const short =
    path.length <= MAX_PATH_LENGTH
      ? path
      : `sha256-${createHash('sha256').update(path).digest('hex')}`;
  return `${KEY_PREFIX}${short}`;
}

/** A heading as it stands in a link: lower case, dashes for spaces, no punctuation. */
function anchorOf(heading: string): string {
  const words = heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-');
  return shortened(words, MAX_ANCHOR_LENGTH);
}
