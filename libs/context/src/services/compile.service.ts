import { createHash } from 'node:crypto';
import type { Clock, Principal } from '#libs/core';
import type { AccessRecorder } from '../access/access-recorder.js';
import type { AnswerCache, Computed } from '../caching/answer-cache.js';
import type { ContextSettings } from '../context.settings.js';
import { ContextLimitError } from '../errors/context-limit.error.js';
import { ContextUnavailableError } from '../errors/context-unavailable.error.js';
import { fingerprintOf } from '../port/compile-fingerprint.js';
import {
  compileContext,
  type CompileTarget,
  fingerprintOfCompile,
} from '../port/compile-pipeline.js';
import { reportSourceFailure } from '../port/pantheon-persistence-adapter.js';
import { weightsOf } from '../ranking/weights.js';
import {
  PostgresDualStoreManager,
  type PostgresStores,
} from '../store/postgres-dual-store-manager.js';
import type { SourceRow } from '../store/source.queries.js';
import type {
  CompileAnswer,
  CompiledContext,
  CompileRequest,
  CompileSource,
} from './compile.types.js';
import type { SourceService } from './source.service.js';

interface Target extends CompileTarget {
  readonly manager: PostgresDualStoreManager;
  readonly row: SourceRow;
}

/**
 * Compiles contexts for principals: their permission is asked for each source, every time, before
 * anything that is kept is looked at.
 */
export class CompileService {
  constructor(
    private readonly sources: SourceService,
    private readonly stores: PostgresStores,
    private readonly recorder: AccessRecorder,
    private readonly clock: Clock,
    private readonly settings: () => ContextSettings,
    private readonly answers: AnswerCache<CompiledContext>,
  ) {}

  /**
   * @throws SourceForbiddenError, SourceNotFoundError for a source that is not for the principal,
   * ContextLimitError, ContextUnavailableError when no source can be read
   */
  async compile(principal: Principal, request: CompileRequest): Promise<CompileAnswer> {
    const settings = this.settings();
    checkLimits(request, settings);
    const startedMs = this.clock.monotonicMs();
    const targets = await this.targetsOf(principal, request.sources);
    const managersMs = this.clock.monotonicMs() - startedMs;
    const compileNow = (): Promise<Computed<CompiledContext>> =>
      this.compileNow(targets, request, settings);
    const { value, source } = await this.answers.get(
      keyOf(targets, request, settings),
      targets.map(({ row }) => row),
      compileNow,
    );
    this.recorder.record(principal.userId, value.entryIds);
    const isHere = source === 'MISS';
    return {
      messages: value.messages,
      report: inOrderOf(targets, value.report),
      timings: {
        managersMs,
        dbMs: isHere ? value.dbMs : 0,
        rankMs: isHere ? value.rankMs : 0,
      },
      cache: source,
      etag: value.etag,
    };
  }

  private async compileNow(
    targets: readonly Target[],
    request: CompileRequest,
    settings: ContextSettings,
  ): Promise<Computed<CompiledContext>> {
    const result = await compileContext(targets, definedOnly(request), {
      weights: weightsOf(settings),
      nowMs: () => this.clock.nowMs(),
      monotonicMs: () => this.clock.monotonicMs(),
      onSourceFailure: reportSourceFailure,
      scope: scopeOf(targets),
      explain: request.explain ?? false,
    });
    if ('failure' in result) throw new ContextUnavailableError(result.failure);
    const { messages, report, entries, dbMs, rankMs, isComplete } = result;
    const entryIds = entries.map(({ id }) => id);
    const etag = etagOf([messages, report.fingerprint, report.explain]);
    return { value: { messages, report, entryIds, dbMs, rankMs, etag }, isComplete };
  }

  private async targetsOf(
    principal: Principal,
    sources: readonly CompileSource[],
  ): Promise<Target[]> {
    const byName = new Map<string, CompileSource>();
    for (const source of sources) if (!byName.has(source.id)) byName.set(source.id, source);
    const names = [...byName.keys()];
    if (names.length === 0) return [];
    const rows = await this.sources.resolveCached(principal, names, 'read');
    return rows.map((row) => ({
      row,
      manager: new PostgresDualStoreManager(row.name, row, this.stores),
      where: byName.get(row.name)?.where,
    }));
  }
}

/**
 * All that the answer depends on: the question; which sources its names mean, as they are configured
 * now, since a compile that began before a change must not be taken for one after it; and what the
 * ranking goes by.
 */
function keyOf(
  targets: readonly Target[],
  request: CompileRequest,
  settings: ContextSettings,
): string {
  const { candidateLimit, embeddingWeight } = settings;
  return fingerprintOf([
    fingerprintOfCompile(targets, definedOnly(request), scopeOf(targets)),
    targets.map(({ row }) => `${row.id} ${row.updatedAt.getTime()}`).sort(),
    request.explain ?? false,
    weightsOf(settings),
    candidateLimit,
    embeddingWeight,
  ]);
}

function scopeOf(targets: readonly Target[]): string[] {
  return targets.map(({ row }) => row.id).sort();
}

/** The report as this caller asked: the same question may name the sources in another order. */
function inOrderOf(targets: readonly Target[], report: CompiledContext['report']) {
  const byId = new Map(report.sources.map((source) => [source.id, source]));
  return { ...report, sources: targets.flatMap(({ manager }) => byId.get(manager.name) ?? []) };
}

/** Weak (RFC 9110, 8.8.1): the report says more than what it is made of. */
function etagOf(parts: unknown): string {
  return `W/"${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)}"`;
}

function checkLimits(request: CompileRequest, settings: ContextSettings): void {
  const { compileMaxSources, compileMaxLimit } = settings;
  const checks = [
    ['sources', request.sources.length, compileMaxSources, 'context.compileMaxSources'],
    ['recentLimit', request.recentLimit, compileMaxLimit, 'context.compileMaxLimit'],
    ['limit', request.limit, compileMaxLimit, 'context.compileMaxLimit'],
  ] as const;
  for (const [path, value, max, setting] of checks) {
    if (value !== undefined && value > max) throw new ContextLimitError(path, max, setting);
  }
}

/** The options that are stated; the others keep their defaults. */
function definedOnly({ texts, recentLimit, queryLimit, limit }: CompileRequest) {
  return {
    ...(texts === undefined ? {} : { texts }),
    ...(recentLimit === undefined ? {} : { recentLimit }),
    ...(queryLimit === undefined ? {} : { queryLimit }),
    ...(limit === undefined ? {} : { limit }),
  };
}
