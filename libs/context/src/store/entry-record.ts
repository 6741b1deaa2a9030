import { createHash } from 'node:crypto';
import { newId } from '#libs/core';
import type { Role } from '../port/context-port.js';
import { facetsOf } from '../ranking/facets.js';
import type { NewEntry } from '../port/store-entry.js';

/** An entry ready to be stored. */
export interface EntryRecord {
  readonly id: string;
  readonly text: string;
  readonly role: Role | null;
  readonly author: string | null;
  readonly type: string | null;
  readonly occurredAt: Date;
  readonly importance: number;
  readonly pinned: boolean;
  readonly rating: number | null;
  /** JSON. */
  readonly metadata: string;
  /** For the search index (ranking/facets.ts). */
  readonly facets: readonly string[];
  readonly externalKey: string | null;
  readonly contentHash: Buffer;
}

/** What "flagged as important" counts. */
export const FLAGGED_IMPORTANCE = 5;
const HASH_BYTES = 16;

/** Puts the defaults in, and a digest of all that the writer has said. */
export function toEntryRecord(entry: NewEntry, now: Date): EntryRecord {
  const metadata = JSON.stringify(entry.metadata ?? {});
  const stated = [
    entry.role ?? null,
    entry.author ?? null,
    entry.type ?? null,
    entry.occurredAt === undefined ? null : new Date(entry.occurredAt).getTime(),
    importanceOf(entry.importance),
    entry.pinned ?? false,
    entry.rating ?? null,
  ];
  const fields = fieldsOf(entry);
  return {
    id: newId(now.getTime()),
    text: entry.text,
    ...fields,
    facets: facetsOf({ ...fields, metadata: entry.metadata ?? {} }),
    occurredAt: entry.occurredAt === undefined ? now : new Date(entry.occurredAt),
    importance: importanceOf(entry.importance),
    pinned: entry.pinned ?? false,
    rating: entry.rating ?? null,
    metadata,
    externalKey: entry.externalKey ?? null,
    contentHash: createHash('sha256')
      .update(`${JSON.stringify(stated)}\n${metadata}\n${entry.text}`)
      .digest()
      .subarray(0, HASH_BYTES),
  };
}

/**
 * The role, type and author of an entry; what it does not state itself may stand in its metadata.
 */
export function fieldsOf({ role, type, author, metadata = {} }: NewEntry): {
  readonly role: Role | null;
  readonly type: string | null;
  readonly author: string | null;
} {
  const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    role: role ?? ROLES.find((known) => known === metadata['role']) ?? null,
    type: type ?? textOf(metadata['type']),
    author: author ?? textOf(metadata['author']),
  };
}

const ROLES: readonly Role[] = ['system', 'user', 'assistant'];

/** Importance as a number: a flag is 5. */
export function importanceOf(importance: number | boolean | undefined): number {
  if (typeof importance === 'number') return importance;
  return importance === true ? FLAGGED_IMPORTANCE : 0;
}
