import { messageOf } from '#libs/core';
import { contextWarnings } from '../events.js';
import { DEFAULT_WEIGHTS } from '../ranking/score.js';
import { AdapterError } from '../errors/adapter.error.js';
import { type CompileTarget, compileContext } from './compile-pipeline.js';
import type { CompileOptions, ContextPort, ContextSource, Message } from './context-port.js';
import type { DualStoreManager } from './dual-store-manager.js';
import {
  DEFAULT_MANAGER_CACHE,
  ManagerCache,
  type ManagerCacheConfig,
  type ManagerCacheMetrics,
} from './manager-cache.js';
import type { MessageResolvers } from './message.js';

/** What the adapter needs of its surroundings. */
export interface PantheonPersistenceDependencies extends MessageResolvers {
  /** The managers there are; those that the sources name are used, in their order. */
  readonly getStoreManagers: () => Promise<DualStoreManager[]>;
}

/** A context port that tells how its cache of managers does. */
export interface PantheonPersistenceAdapter extends ContextPort {
  getCacheMetrics(): ManagerCacheMetrics;
  clearCache(): void;
}

/**
 * A context port over store managers. Sources without a string id are ignored, and so are those
 * without a manager; nothing to read gives no messages.
 *
 * @param cacheConfig how long managers are kept (60 s), and for how many sets of sources their choice
 * (10)
 * @throws AdapterError when the dependencies are not there; `compile` rejects with it when the
 * sources or the managers are no array, or the managers cannot be had
 */
export function makePantheonPersistenceAdapter(
  deps: PantheonPersistenceDependencies,
  cacheConfig: Partial<ManagerCacheConfig> = {},
): PantheonPersistenceAdapter {
  if (deps === null || deps === undefined) {
    throw new AdapterError('Dependencies object is required for makePantheonPersistenceAdapter');
  }
  if (typeof deps.getStoreManagers !== 'function') {
    throw new AdapterError('getStoreManagers function is required in dependencies');
  }
  const cache = new ManagerCache<DualStoreManager>(
    { ...DEFAULT_MANAGER_CACHE, ...cacheConfig },
    () => fetchManagers(deps),
  );
  const environment = {
    ...deps,
    weights: DEFAULT_WEIGHTS,
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    onSourceFailure: reportSourceFailure,
  };
  return {
    async compile({ sources, ...options }: CompileOptions): Promise<Message[]> {
      const byId = sourcesById(sources);
      if (byId.size === 0) return [];
      return cache.use(byId.keys(), async (managers) => {
        const targets = managers.map((manager): CompileTarget => ({
          manager,
          where: byId.get(manager.name)?.where,
        }));
        if (targets.length === 0) return [];
        return (await compileContext(targets, options, environment)).messages;
      });
    },
    getCacheMetrics: () => cache.metrics(),
    clearCache: () => cache.clear(),
  };
}

function sourcesById(sources: readonly ContextSource[]): ReadonlyMap<string, ContextSource> {
  if (!Array.isArray(sources)) throw new AdapterError('Sources must be an array');
  const byId = new Map<string, ContextSource>();
  for (const source of sources as readonly (ContextSource | null)[]) {
    if (typeof source?.id === 'string' && !byId.has(source.id)) byId.set(source.id, source);
  }
  return byId;
}

async function fetchManagers(deps: PantheonPersistenceDependencies): Promise<DualStoreManager[]> {
  let managers: unknown;
  try {
    managers = await deps.getStoreManagers();
  } catch (cause) {
    throw new AdapterError(`Store manager retrieval failed: ${messageOf(cause)}`, cause);
  }
  if (managers === null || managers === undefined) return [];
  if (!Array.isArray(managers)) {
    throw new AdapterError('getStoreManagers must return an array of DualStoreManager objects');
  }
  return managers.filter(
    (manager): manager is DualStoreManager => typeof manager?.name === 'string',
  );
}

/** Tells whoever listens that a source counts as empty. */
export function reportSourceFailure(source: string, error: unknown): void {
  contextWarnings.publish(() => ({
    code: 'CONTEXT_SOURCE_FAILED',
    message: `Source "${source}" could not be read and counts as empty: ${messageOf(error)}`,
    error,
  }));
}
