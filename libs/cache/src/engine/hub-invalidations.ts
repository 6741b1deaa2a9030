import type { Invalidation } from '../coherence/message.js';
import { cacheInvalidation } from '../statistics/cache.channels.js';
import { type CacheCore, EVERYTHING } from './cache-core.js';
import type { HubParts, InvalidationReceipt } from './hub-parts.js';

/**
 * Invalidations of the caches of one process, its own and those that others tell of.
 *
 * One of its own goes: the names are begun, so that nothing older is served here → the version store
 * gives them new versions, or it is tried again until it does → the other processes are told.
 */
export class HubInvalidations {
  constructor(
    private readonly parts: Pick<HubParts, 'versions' | 'recovery' | 'tell'>,
    private readonly caches: ReadonlyMap<string, { readonly core: CacheCore }>,
  ) {}

  /** Gives the names new versions, everywhere; from now on this process serves nothing older. */
  async invalidate(names: readonly string[]): Promise<InvalidationReceipt> {
    const { table } = this.parts.versions;
    const unique = [...new Set(names)];
    if (unique.length === 0) return { acknowledged: true };
    for (const name of unique) {
      table.begin(name);
      this.forget(name);
    }
    cacheInvalidation.publish(() => ({ kind: 'tag', names: unique, isRemote: false }));
    if (await this.bump(unique)) return { acknowledged: true };
    return { acknowledged: false };
  }

  /** Gives names that were begun their versions and tells the others; what fails is tried again. */
  async bump(names: readonly string[]): Promise<boolean> {
    const { versions, recovery } = this.parts;
    const bumped = await versions.bump(names);
    if (bumped === undefined) {
      for (const name of names) recovery.add(`v:${name}`, () => this.bumpAgain(name));
      return false;
    }
    const items = this.confirm(names, bumped);
    return this.parts.tell(items);
  }

  private async bumpAgain(name: string): Promise<boolean> {
    const bumped = await this.parts.versions.bump([name]);
    if (bumped === undefined) return false;
    await this.parts.tell(this.confirm([name], bumped));
    return true;
  }

  private confirm(names: readonly string[], bumped: readonly number[]): Invalidation[] {
    return names.map((name, index) => {
      const version = bumped[index] as number;
      this.parts.recovery.done(`v:${name}`);
      this.parts.versions.table.confirm(name, version);
      this.forget(name);
      return { kind: 'version', name, version };
    });
  }

  /** Empties what belongs to a name that is not a tag. */
  private forget(name: string): void {
    if (name === EVERYTHING) for (const { core } of this.caches.values()) core.invalidateAll();
    else if (name.startsWith('n:')) this.caches.get(name.slice(2))?.core.invalidateAll();
  }

  /** Applies what another process has invalidated, at once. */
  apply(items: readonly Invalidation[]): void {
    for (const item of items) {
      if (item.kind === 'key') this.caches.get(item.namespace)?.core.invalidate(item.key);
      else {
        this.parts.versions.table.announce(item.name, item.version);
        this.forget(item.name);
      }
    }
    cacheInvalidation.publish(() => ({
      kind: items[0]?.kind === 'key' ? 'key' : 'tag',
      names: items.map((item) => (item.kind === 'key' ? item.key : item.name)),
      isRemote: true,
    }));
  }

  /**
   * Resolves when no outdated write is under way because of `items`: a level that cannot refuse one
   * may be getting it just now. Undefined when there is nothing to wait for.
   */
  settled(items: readonly Invalidation[]): Promise<unknown> | undefined {
    const waits = items.flatMap((item) => {
      if (item.kind !== 'key') return [];
      const core = this.caches.get(item.namespace)?.core;
      if (core === undefined || core.hub.stack.levels.every(({ tier }) => tier.isAtomic)) return [];
      const wait = core.guards.settled(item.key);
      return wait === undefined ? [] : [wait];
    });
    return waits.length === 0 ? undefined : Promise.all(waits);
  }
}
