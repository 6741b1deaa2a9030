import type { Clock, Principal } from '#libs/core';
import type { AccessRecorder } from '../access/access-recorder.js';
import type { ContextSettings } from '../context.settings.js';
import { ContextLimitError } from '../errors/context-limit.error.js';
import { ContextUnavailableError } from '../errors/context-unavailable.error.js';
import { sourceChanged } from '../events.js';
import { compileContext, type CompileTarget } from '../port/compile-pipeline.js';
import { ManagerCache, type ManagerCacheMetrics } from '../port/manager-cache.js';
import { reportSourceFailure } from '../port/pantheon-persistence-adapter.js';
import { weightsOf } from '../ranking/weights.js';
import {
  PostgresDualStoreManager,
  type PostgresStores,
} from '../store/postgres-dual-store-manager.js';
import type { CompileAnswer, CompileRequest, CompileSource } from './compile.types.js';
import type { SourceService } from './source.service.js';

type Managers = ReadonlyMap<string, PostgresDualStoreManager>;

/**
 * Compiles contexts for principals: their permission is asked for each source, every time; the
 * managers of a set of sources are kept for a while.
 */
export class CompileService {
  private readonly managers: ManagerCache<Managers>;
  private readonly stopListening: () => void;

  constructor(
    private readonly sources: SourceService,
    private readonly stores: PostgresStores,
    private readonly recorder: AccessRecorder,
    private readonly clock: Clock,
    private readonly settings: () => ContextSettings,
  ) {
    const { managerCacheTtlMs: ttl, managerCacheMaxSize: maxSize } = settings();
    this.managers = new ManagerCache({ ttl, maxSize }, () => clock.monotonicMs());
    this.stopListening = sourceChanged.subscribe(({ change }) => {
      if (change !== 'entries') this.managers.clear();
    });
  }

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
    const result = await compileContext(targets, definedOnly(request), {
      weights: weightsOf(settings),
      nowMs: () => this.clock.nowMs(),
      monotonicMs: () => this.clock.monotonicMs(),
      onSourceFailure: reportSourceFailure,
      scope: targets.map(({ manager }) => manager.source.id).sort(),
      explain: request.explain ?? false,
    });
    if ('failure' in result) throw new ContextUnavailableError(result.failure);
    this.recorder.record(
      principal.userId,
      result.entries.map(({ id }) => id),
    );
    const { messages, report, dbMs, rankMs } = result;
    return { messages, report, timings: { managersMs, dbMs, rankMs } };
  }

  managerCacheMetrics(): ManagerCacheMetrics {
    return this.managers.metrics();
  }

  /** Stops listening for changes of sources. May be called twice. */
  close(): void {
    this.stopListening();
  }

  private async targetsOf(
    principal: Principal,
    sources: readonly CompileSource[],
  ): Promise<(CompileTarget & { readonly manager: PostgresDualStoreManager })[]> {
    const byName = new Map<string, CompileSource>();
    for (const source of sources) if (!byName.has(source.id)) byName.set(source.id, source);
    const names = [...byName.keys()];
    if (names.length === 0) return [];
    this.sources.requireAll(principal, names, 'read');
    // Names mean something else to each user, who may have personal sources.
    const scope = `${principal.organizationId}/${principal.userId}`;
    const managers = await this.managers.get([scope, ...names], async () => {
      const rows = await this.sources.resolveAll(principal, names, 'read');
      return new Map(
        rows.map((row) => [row.name, new PostgresDualStoreManager(row.name, row, this.stores)]),
      );
    });
    return names.flatMap((name) => {
      const manager = managers.get(name);
      return manager === undefined ? [] : { manager, where: byName.get(name)?.where };
    });
  }
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
