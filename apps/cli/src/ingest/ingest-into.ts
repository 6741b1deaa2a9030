import type { BulkLine, BulkReport, SourceView } from '#libs/context';
import { PantheonError } from '#libs/core';
import type { CommandIo } from '../command-spec.js';
import { type ProgressBar, startProgressBar } from '../progress-bar.js';
import type { ContextAccess } from '../with-context.js';
import type { IngestInput, SkippedInput } from './ingest-input.js';

export interface IngestTask {
  /** Name of the source; made when there is none. */
  readonly source: string;
  readonly input: IngestInput;
  /** Whether entries of earlier runs that the input no longer has are deleted. */
  readonly prune: boolean;
}

/** What an ingest did. */
export interface IngestReport {
  readonly source: string;
  readonly unit: string;
  /** Files or commits read. */
  readonly units: number;
  readonly entries: number;
  readonly bulk: BulkReport;
  readonly pruned: number;
  readonly skipped: readonly SkippedInput[];
  /** Search index included. */
  readonly durationMs: number;
  readonly entriesPerSecond: number;
}

/**
 * Writes everything that the input has to the source. Each batch is stored and indexed for good
 * when the bar moves, so a run that is killed loses nothing, and the next one finds what is there
 * by its keys.
 */
export async function ingestInto(
  { principal, settings, sources, entries }: ContextAccess,
  { source: name, input, prune }: IngestTask,
  io: CommandIo,
): Promise<IngestReport> {
  const source = await openSource();
  const startedAt = performance.now();
  const keys = prune ? new Set<string>() : undefined;
  const progress = { units: 0, entries: 0 };
  const bar = await startProgressBar(`${name}:`, input.unit, input.total, io);
  const bulk = await store(bar);
  const pruned = keys === undefined ? 0 : await entries.prune(principal, source.id, isWanted(keys));
  const durationMs = performance.now() - startedAt;
  return {
    source: name,
    unit: input.unit,
    ...progress,
    bulk,
    pruned,
    skipped: input.skipped,
    durationMs: Math.round(durationMs),
    entriesPerSecond: Math.round((progress.entries * 1000) / durationMs),
  };

  async function openSource(): Promise<SourceView> {
    try {
      return await sources.get(principal, name);
    } catch (error) {
      if (!(error instanceof PantheonError) || error.kind !== 'not-found') throw error;
      return sources.create(principal, { name, kind: input.kind, scope: 'organization' });
    }
  }

  async function store(bar: ProgressBar): Promise<BulkReport> {
    try {
      return await entries.bulkInsert(principal, source.id, lines(), {
        signal: io.signal,
        onProgress: (stored) => bar.update(progress.units, stored),
      });
    } finally {
      bar.stop();
    }
  }

  async function* lines(): AsyncGenerator<BulkLine> {
    const onUnit = (): void => void (progress.units += 1);
    const maxTextBytes = settings.entryTextMaxBytes;
    for await (const entry of input.entries({ maxTextBytes, onUnit })) {
      io.signal.throwIfAborted();
      progress.entries += 1;
      keys?.add(entry.externalKey);
      yield { line: progress.entries, entry };
    }
  }

  function isWanted(seen: ReadonlySet<string>): (externalKey: string) => boolean {
    return (key) => !key.startsWith(input.keyPrefix) || seen.has(key) || input.isSkipped(key);
  }
}
