import { shortened, storableTexts } from './entry-texts.js';
import { type Commit, countCommits, readCommits } from './git-log.js';
import type { IngestInput, KeyedEntry } from './ingest-input.js';

const KEY_PREFIX = 'git:';
const MAX_AUTHOR_LENGTH = 256;

/** The commit log of a repository as a conversation, a commit an utterance, oldest first. */
export async function gitInput(folder: string, signal: AbortSignal): Promise<IngestInput> {
  return {
    kind: 'conversation',
    unit: 'commits',
    total: await countCommits(folder, signal),
    keyPrefix: KEY_PREFIX,
    skipped: [],
    isSkipped: () => false,
    async *entries({ maxTextBytes, onUnit }) {
      for await (const commit of readCommits(folder, signal)) {
        yield* commitEntries(commit, maxTextBytes);
        onUnit();
      }
    },
  };
}

/** A commit as an entry; a message that is too long makes several, an empty one none. */
export function* commitEntries(commit: Commit, maxTextBytes: number): Generator<KeyedEntry> {
  const { hash, author, authoredAt, message } = commit;
  for (const [index, text] of storableTexts(message, maxTextBytes).entries()) {
    yield {
      text,
      type: 'user',
      role: 'user',
      ...(author === '' ? {} : { author: shortened(author, MAX_AUTHOR_LENGTH) }),
      // A damaged commit may have no date.
      ...(Number.isNaN(authoredAt.getTime()) ? {} : { occurredAt: authoredAt.toISOString() }),
      externalKey: index === 0 ? `${KEY_PREFIX}${hash}` : `${KEY_PREFIX}${hash}~${index + 1}`,
      metadata: { commit: hash },
    };
  }
}
