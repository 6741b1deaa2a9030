import { indexText } from '../ranking/features.js';
import { type ScoreTerms, scoreTerms, type ScoreWeights, totalScore } from '../ranking/score.js';
import type { SearchQuery, SearchText } from '../ranking/search-query.js';
import { compileFingerprint } from './compile-fingerprint.js';
import type { CompileReport, MessageExplanation, SourceReport } from './compile-report.js';
import type { CompileOptions, Message } from './context-port.js';
import type { DualStoreManager, EntryWhere } from './dual-store-manager.js';
import { type EntryMetadata, type MessageResolvers, toMessage } from './message.js';
import { type SourceAnswer, SourceReading } from './source-reading.js';
import type { StoreEntry } from './store-entry.js';

/** A source with the manager that reads it. */
export interface CompileTarget {
  readonly manager: DualStoreManager;
  readonly where: EntryWhere | undefined;
}

export interface CompileEnvironment extends MessageResolvers {
  readonly weights: ScoreWeights;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Told of each source that could not be read. */
  readonly onSourceFailure: (source: string, error: unknown) => void;
  /** What the fingerprint depends on beside the question. */
  readonly scope?: unknown;
  readonly explain?: boolean;
}

/** What a compile gives, and what it took. */
export interface Compilation {
  readonly messages: Message[];
  readonly report: CompileReport;
  /** The entries of the messages, in their order. */
  readonly entries: readonly StoreEntry[];
  readonly dbMs: number;
  readonly rankMs: number;
  /** Whether everything that was asked has answered. */
  readonly isComplete: boolean;
  /** The first failure, when no source could be read. */
  readonly failure?: unknown;
}

/** Defaults of a compile. */
export const COMPILE_DEFAULTS = { recentLimit: 10, queryLimit: 5, limit: 20 } as const;
/** The recent conversation adds to what the caller asks, and must not drown it. */
const ECHO_WEIGHT = 0.3;

type CompilableEntry = StoreEntry & { readonly text: string; readonly metadata: EntryMetadata };

interface Ranked {
  readonly entry: CompilableEntry;
  readonly source: number;
  readonly terms: ScoreTerms;
  readonly score: number;
}

/**
 * Compiles what the targets hold: their recent entries, and those relevant to the caller's texts
 * and to recent ones; ranked, without repetition, at most `limit` messages, oldest first. A
 * source that cannot be read counts as empty.
 */
export async function compileContext(
  targets: readonly CompileTarget[],
  options: Omit<CompileOptions, 'sources'>,
  environment: CompileEnvironment,
): Promise<Compilation> {
  const {
    texts = [],
    recentLimit = COMPILE_DEFAULTS.recentLimit,
    queryLimit = COMPILE_DEFAULTS.queryLimit,
    limit = COMPILE_DEFAULTS.limit,
  } = options;
  const startedMs = environment.monotonicMs();
  const reading = new SourceReading(targets, environment);
  const recents = await reading.recents(recentLimit);
  const latest = recents.flatMap(({ entries }) => entries);
  const seeds = seedsOf(texts, latest, queryLimit);
  const query = await reading.prepare(seeds, latest);
  const relevant = limit > 0 && seeds.length > 0 ? await reading.relevant(query, seeds, limit) : [];
  const readMs = environment.monotonicMs();

  const found = targets.map((_, place) => ({
    recent: recents[place]?.entries ?? [],
    relevant: relevant[place]?.entries ?? [],
  }));
  const best = rank(
    found.map((source) => [...source.recent, ...source.relevant]),
    query,
    environment,
    limit,
  );
  const used = best.sort(oldestFirst);
  const messages = used.map(({ entry }) => toMessage(entry, environment));
  const sources = targets.map(({ manager }, place): SourceReport => ({
    id: manager.name,
    recent: found[place]?.recent.length ?? 0,
    relevant: found[place]?.relevant.length ?? 0,
    used: used.filter(({ source }) => source === place).length,
    durationMs: durationOf(recents[place]) + durationOf(relevant[place]),
    status: reading.failures.has(place) ? 'failed' : 'ok',
  }));
  const report: CompileReport = {
    fingerprint: fingerprintOfCompile(targets, options, environment.scope),
    sources,
    ...(environment.explain === true ? { explain: used.map((one) => explain(one, targets)) } : {}),
  };
  const hasOnlyFailed = targets.length > 0 && reading.failures.size === targets.length;
  return {
    messages,
    report,
    entries: used.map(({ entry }) => entry),
    dbMs: readMs - startedMs,
    rankMs: environment.monotonicMs() - readMs,
    isComplete: reading.failures.size === 0 && !query.isPartial,
    ...(hasOnlyFailed ? { failure: reading.failures.values().next().value } : {}),
  };
}

/** The fingerprint that the report of a compile has. @param scope what it depends on beside the question */
export function fingerprintOfCompile(
  targets: readonly CompileTarget[],
  options: Omit<CompileOptions, 'sources'>,
  scope: unknown,
): string {
  return compileFingerprint({
    scope: scope ?? null,
    texts: options.texts ?? [],
    sources: targets.map(({ manager, where }) => ({ id: manager.name, where })),
    recentLimit: options.recentLimit ?? COMPILE_DEFAULTS.recentLimit,
    queryLimit: options.queryLimit ?? COMPILE_DEFAULTS.queryLimit,
    limit: options.limit ?? COMPILE_DEFAULTS.limit,
  });
}

/** All of the caller's texts, and the latest of the recent ones up to the limit. */
function seedsOf(
  texts: readonly string[],
  recents: readonly StoreEntry[],
  queryLimit: number,
): SearchText[] {
  const asked = new Set(texts.filter((text) => text.trim() !== ''));
  const echoes = new Set<string>();
  for (const { text } of [...recents].sort((a, b) => newestFirst(a, b))) {
    if (asked.size + echoes.size >= queryLimit) break;
    if (text !== null && text.trim() !== '' && !asked.has(text)) echoes.add(text);
  }
  const echoWeight = asked.size > 0 ? ECHO_WEIGHT : 1;
  return [
    ...[...asked].map((text) => ({ text, weight: 1 })),
    ...[...echoes].map((text) => ({ text, weight: echoWeight, isEcho: true })),
  ];
}

function rank(
  sources: readonly (readonly StoreEntry[])[],
  query: SearchQuery,
  { weights, nowMs }: CompileEnvironment,
  limit: number,
): Ranked[] {
  const now = nowMs();
  const ranked: Ranked[] = [];
  for (const [source, entries] of sources.entries()) {
    const seen = new Set<string>();
    for (const entry of entries) {
      if (seen.has(entry.id) || !isCompilable(entry)) continue;
      seen.add(entry.id);
      const { relevance, sharedWords } = query.compare({
        text: entry.text,
        dense: entry.dense,
        features: entry.features ?? indexText(entry.text).features,
      });
      const terms = scoreTerms(entry, relevance, sharedWords, now, weights);
      ranked.push({ entry, source, terms, score: totalScore(terms) });
    }
  }
  ranked.sort((a, b) => b.score - a.score || newestFirst(a.entry, b.entry));
  const texts = new Set<string>();
  const best: Ranked[] = [];
  for (const candidate of ranked) {
    if (best.length >= limit) break;
    if (texts.has(candidate.entry.text)) continue;
    texts.add(candidate.entry.text);
    best.push(candidate);
  }
  return best;
}

function isCompilable(entry: StoreEntry): entry is CompilableEntry {
  return (
    typeof entry.text === 'string' &&
    entry.text !== '' &&
    typeof entry.metadata === 'object' &&
    entry.metadata !== null
  );
}

function newestFirst(a: StoreEntry, b: StoreEntry): number {
  return b.occurredAt.getTime() - a.occurredAt.getTime() || (a.id < b.id ? 1 : -1);
}

function oldestFirst(a: Ranked, b: Ranked): number {
  return newestFirst(b.entry, a.entry);
}

function explain(
  { entry, source, score, terms }: Ranked,
  targets: readonly CompileTarget[],
): MessageExplanation {
  return {
    entryId: entry.id,
    source: targets[source]?.manager.name ?? '',
    occurredAt: entry.occurredAt,
    score,
    terms,
  };
}

function durationOf(answer: SourceAnswer | undefined): number {
  return answer?.durationMs ?? 0;
}
