import { readFile } from 'node:fs/promises';
import { markdownSections, type MarkdownSection } from '#libs/context';
import { glob } from 'tinyglobby';

/** A section of a document; its place in the corpus tells it from all others. */
export interface CorpusSection extends MarkdownSection {
  /** Path of the document, with `/` between folders. */
  readonly document: string;
}

/**
 * The sections of the Markdown that came with the installed packages, in the order of their
 * paths: real text that every checkout has, without a network.
 */
export async function readMarkdownCorpus(folder = process.cwd()): Promise<CorpusSection[]> {
  const documents = await glob(['node_modules/**/*.md'], {
    cwd: folder,
    onlyFiles: true,
    followSymbolicLinks: false,
    expandDirectories: false,
    dot: false,
  });
  const sections: CorpusSection[] = [];
  for (const document of documents.sort()) {
    const markdown = await readFile(`${folder}/${document}`, 'utf8');
    for (const section of markdownSections(markdown)) sections.push({ ...section, document });
  }
  return sections;
}
