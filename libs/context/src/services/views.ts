import type { CacheRule, SourceKind, SourceScope } from '../entities/context-source.entity.js';
import type { EntryLifecycle, EntryTier } from '../entities/context-entry.entity.js';

/** A source as callers see it. */
export interface SourceView {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly kind: SourceKind;
  readonly scope: SourceScope;
  readonly ownerId: string;
  readonly retentionDays: number | null;
  readonly cacheRule: CacheRule | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What makes a source. */
export interface NewSource {
  readonly name: string;
  readonly kind: SourceKind;
  /** Default: the name. */
  readonly label?: string | undefined;
  /** Default: `personal`. */
  readonly scope?: SourceScope | undefined;
  readonly retentionDays?: number | null | undefined;
  readonly cacheRule?: CacheRule | null | undefined;
}

/** What may be changed of a source. */
export interface SourceChanges {
  readonly name?: string | undefined;
  readonly label?: string | undefined;
  readonly kind?: SourceKind | undefined;
  readonly retentionDays?: number | null | undefined;
  readonly cacheRule?: CacheRule | null | undefined;
}

/** Large fields of an entry, which are read only when asked for. */
export const LARGE_ENTRY_FIELDS = ['text', 'metadata'] as const;
export type LargeEntryField = (typeof LARGE_ENTRY_FIELDS)[number];

/** An entry as callers see it. */
export interface EntryView {
  readonly id: string;
  readonly sourceId: string;
  readonly role: string | null;
  readonly type: string | null;
  readonly author: string | null;
  readonly occurredAt: Date;
  readonly importance: number;
  readonly pinned: boolean;
  readonly rating: number | null;
  readonly accessCount: number;
  readonly lastAccessedAt: Date | null;
  readonly tier: EntryTier;
  readonly lifecycle: EntryLifecycle;
  readonly externalKey: string | null;
  readonly createdAt: Date;
  /** Only when asked for. */
  readonly text?: string;
  /** Only when asked for. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One line of a bulk write: an entry yet to be checked, or why the line could not be read. */
export type BulkLine =
  | { readonly line: number; readonly entry: unknown }
  | { readonly line: number; readonly fault: { readonly code: string; readonly detail: string } };

export interface BulkOptions {
  /** `skip` stores every good line; `abort` stores all lines or none. Default `skip`. */
  readonly onError?: 'skip' | 'abort';
  readonly signal?: AbortSignal;
  /** Called after each batch with the lines read so far. */
  readonly onProgress?: (lines: number) => void;
}

export interface RejectedLine {
  readonly line: number;
  readonly code: string;
  readonly detail: string;
}

export interface BulkReport {
  readonly inserted: number;
  /** Entries whose external key was known and whose content has changed. */
  readonly updated: number;
  /** Entries whose external key was known and whose content was the same. */
  readonly unchanged: number;
  /** The first rejected lines, as many as `context.bulkMaxReportedFaults`. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedCount: number;
  /** With `abort`: whether a rejected line has undone everything. */
  readonly aborted: boolean;
}
