import type { Cache } from '#libs/cache';
import type { Queryable } from '../store/database.js';
import {
  findSourcesByName,
  findSourcesNamed,
  type SourceRow,
  type SourceViewer,
} from '../store/source.queries.js';
import { TickBatch } from './tick-batch.js';

/** The sources of one name in one organization. */
export interface NamedSources {
  readonly shared: SourceRow | null;
  /** By their owner; null where there are too many to keep together. */
  readonly personal: Readonly<Record<string, SourceRow>> | null;
}

/** What a cache of store managers does and holds. */
export interface SourceCacheMetrics {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly evictions: number;
  readonly currentSize: number;
  /** Statements that were sent, each for all that was missing at the time. */
  readonly fetches: number;
  /** Time that they took, in all. */
  readonly fetchMs: number;
}

/** So many personal sources of one name are kept in one entry. */
const MAX_PERSONAL = 100;

/**
 * The sources behind the managers of a compile, kept by organization and name. So users with sets
 * of sources of their own share what their sets have in common; a cache by set would hold each
 * combination for itself. Which source a name means for a user is decided at each look-up, the
 * permission to read it before.
 *
 * Entries are plain rows: a manager over the shared pool holds nothing that would have to be closed,
 * and is made in a microsecond.
 */
export class SourceCache {
  private fetches = 0;
  private fetchMs = 0;
  private readonly named: TickBatch<
    Readonly<{ organizationId: string; name: string }>,
    NamedSources
  >;
  private readonly own: TickBatch<SourceViewer & Readonly<{ name: string }>, NamedSources>;

  /** @param cache undefined: nothing is kept */
  constructor(
    private readonly database: Queryable,
    private readonly cache: Cache<NamedSources> | undefined,
    nowMs: () => number,
  ) {
    const timed = async <Result>(fetch: () => Promise<Result>): Promise<Result> => {
      const startedMs = nowMs();
      this.fetches += 1;
      try {
        return await fetch();
      } finally {
        this.fetchMs += nowMs() - startedMs;
      }
    };
    this.named = new TickBatch((keys) => timed(() => this.loadNamed(keys)));
    this.own = new TickBatch((keys) => timed(() => this.loadOwn(keys)));
  }

  /** The source that each name means to the viewer, or undefined, in the order of the names. */
  async find(
    viewer: SourceViewer,
    names: readonly string[],
  ): Promise<readonly (SourceRow | undefined)[]> {
    const { cache } = this;
    if (cache !== undefined) return Promise.all(names.map((name) => this.one(cache, viewer, name)));
    const rows = await findSourcesByName(this.database, viewer, names);
    const byName = new Map(rows.map((row) => [row.name, row]));
    return names.map((name) => byName.get(name));
  }

  /** Forgets, in every process, what is known of the names of these sources. */
  async forget(sources: readonly SourceRow[]): Promise<{ readonly acknowledged: boolean }> {
    if (this.cache === undefined) return { acknowledged: true };
    return this.cache.deleteMany(
      sources.flatMap(({ organizationId, ownerId, name }) => [
        keyOf(organizationId, name),
        ownKeyOf({ organizationId, userId: ownerId }, name),
      ]),
    );
  }

  metrics(): SourceCacheMetrics {
    const { fetches, fetchMs } = this;
    const known = this.cache?.statistics(0);
    return {
      hits: known === undefined ? 0 : known.l1Hits + known.staleHits,
      misses: known === undefined ? 0 : known.l1Misses - known.staleHits,
      sets: known?.sets ?? 0,
      evictions: known?.removed.size ?? 0,
      currentSize: known?.items ?? 0,
      fetches,
      fetchMs,
    };
  }

  private async one(
    cache: Cache<NamedSources>,
    viewer: SourceViewer,
    name: string,
  ): Promise<SourceRow | undefined> {
    const { organizationId, userId } = viewer;
    const { shared, personal } = await cache.getOrSet(keyOf(organizationId, name), () =>
      this.named.load({ organizationId, name }),
    );
    if (personal !== null) return personal[userId] ?? shared ?? undefined;
    const own = await cache.getOrSet(ownKeyOf(viewer, name), () =>
      this.own.load({ ...viewer, name }),
    );
    return own.personal?.[userId] ?? shared ?? undefined;
  }

  private async loadNamed(
    keys: readonly Readonly<{ organizationId: string; name: string }>[],
  ): Promise<NamedSources[]> {
    const found = await findSourcesNamed(this.database, keys, MAX_PERSONAL + 1);
    return found.map((rows) => {
      const shared = rows.find(({ scope }) => scope !== 'personal') ?? null;
      const personal = rows.filter(({ scope }) => scope === 'personal');
      return { shared, personal: rows.length > MAX_PERSONAL ? null : byOwner(personal) };
    });
  }

  private async loadOwn(
    keys: readonly (SourceViewer & Readonly<{ name: string }>)[],
  ): Promise<NamedSources[]> {
    return Promise.all(
      keys.map(async ({ name, ...viewer }) => {
        const [row] = await findSourcesByName(this.database, viewer, [name]);
        return { shared: null, personal: row?.scope === 'personal' ? byOwner([row]) : {} };
      }),
    );
  }
}

function byOwner(rows: readonly SourceRow[]): Record<string, SourceRow> {
  return Object.fromEntries(rows.map((row) => [row.ownerId, row]));
}

/** A name holds no slash, and an id neither. */
function keyOf(organizationId: string, name: string): string {
  return `${organizationId}/${name}`;
}

function ownKeyOf({ organizationId, userId }: SourceViewer, name: string): string {
  return `${organizationId}/${name}/${userId}`;
}
