import type { Invalidation } from '../coherence/message.js';
import type { CacheEntry } from '../entry/cache-entry.js';
import { cacheInvalidation } from '../statistics/cache.channels.js';
import { fenceTimeMs } from '../tier/fence.js';
import { type CacheCore, OWN_TAGS_FROM } from './cache-core.js';
import type { ResolvedOptions } from './cache.options.js';
import { lifeOf, timesOf } from './entry-times.js';
import type { InvalidationReceipt } from './hub-parts.js';
import type { KeyGuard } from './key-guards.js';
import { recoveryId } from './shared-reader.js';
import { isCurrent } from './tag-table.js';

/** A write of one key while it is under way. */
interface Write {
  readonly key: string;
  readonly value: unknown;
  readonly guard: KeyGuard;
  epoch: number;
}

/**
 * Writes and deletes in every level. The order makes it safe, with readers anywhere at any point:
 *
 * 1. here: forget the key, and keep what is under way from storing
 * 2. the shared levels, the last one first, each raising its fence
 * 3. here again: what was read from a shared level meanwhile must not be stored
 * 4. the other processes: forget, and confirm
 * 5. of a write, here: keep the value, unless somebody else wrote or deleted meanwhile
 */
export class Writer {
  constructor(private readonly core: CacheCore) {}

  async delete(keys: readonly string[]): Promise<InvalidationReceipt> {
    const { core } = this;
    for (const key of keys) core.invalidate(key);
    if (keys.length === 0) return { acknowledged: true };
    const isDone = await this.drop(keys);
    for (const key of keys) {
      if (isDone) core.hub.recovery.done(recoveryId(core, key));
      else core.hub.recovery.add(recoveryId(core, key), () => this.dropAgain(key));
    }
    return { acknowledged: (await this.tell(keys)) && isDone };
  }

  async set(
    entries: readonly (readonly [string, unknown])[],
    options: ResolvedOptions,
  ): Promise<InvalidationReceipt> {
    const byKey = new Map(entries);
    const lives = new Map([...byKey].map(([key, value]) => [key, lifeOf(value, key, options)]));
    const absent = [...byKey.keys()].filter((key) => !((lives.get(key) as number) > 0));
    for (const key of absent) byKey.delete(key);
    const deleted = absent.length === 0 ? undefined : this.delete(absent);
    const receipt =
      byKey.size === 0 ? { acknowledged: true } : await this.write(byKey, lives, options);
    return { acknowledged: receipt.acknowledged && (await deleted)?.acknowledged !== false };
  }

  private async write(
    values: ReadonlyMap<string, unknown>,
    lives: ReadonlyMap<string, number>,
    options: ResolvedOptions,
  ): Promise<InvalidationReceipt> {
    const { core } = this;
    const { hub } = core;
    const writes = [...values].map(([key, value]): Write => {
      core.invalidate(key);
      const guard = core.guards.hold(key);
      return { key, value, guard, epoch: guard.epoch };
    });
    core.counts.writes += writes.length;
    try {
      const syncEpoch = hub.sync.epoch;
      const made = await Promise.all(
        writes.map(({ key, value }) => this.entryOf(value, lives.get(key) as number, options)),
      );
      let isDone = true;
      if (core.usesTiers) {
        isDone =
          made.every(({ isShared }) => isShared) &&
          (await hub.stack.put((level) =>
            writes.map(({ key }, index) => {
              const { entry } = made[index] as { entry: CacheEntry };
              return { key: core.fullKey(key), entry: core.entryFor(level.level, entry, options) };
            }),
          ));
      }
      for (const [index, write] of writes.entries()) {
        const { entry } = made[index] as { entry: CacheEntry };
        if (isDone) hub.recovery.done(recoveryId(core, write.key));
        else
          hub.recovery.add(recoveryId(core, write.key), () =>
            this.writeAgain(write.key, entry, options),
          );
        const isMine = write.guard.epoch === write.epoch;
        core.invalidate(write.key);
        write.epoch = isMine ? write.guard.epoch : Number.NaN;
      }
      const isTold = await this.tell([...values.keys()]);
      for (const [index, { key, value, guard, epoch }] of writes.entries()) {
        const { entry, vector } = made[index] as Awaited<ReturnType<Writer['entryOf']>>;
        if (guard.epoch !== epoch || !isCurrent(vector)) continue;
        const tags = hub.versions.tagsOf(vector, OWN_TAGS_FROM);
        core.keep(key, value, entry, { loadMs: 0, tags, epoch: syncEpoch, options });
      }
      return { acknowledged: isDone && isTold };
    } finally {
      for (const { guard } of writes) core.guards.release(guard);
    }
  }

  private async entryOf(value: unknown, lifeMs: number, options: ResolvedOptions) {
    const { core } = this;
    const tags =
      typeof options.tags === 'function'
        ? (options.tags as (value: unknown) => readonly string[])(value)
        : options.tags;
    const names = core.namesOf(tags);
    const vector = await core.hub.versions.capture(names, false);
    const times = timesOf(core.hub.clock.nowMs(), lifeMs, options);
    const entry: CacheEntry = {
      value,
      ...times,
      loadMs: 0,
      tags: names,
      versions: vector.versions,
    };
    return { entry, vector, isShared: vector.isShared };
  }

  private async drop(keys: readonly string[]): Promise<boolean> {
    const { core } = this;
    if (!core.usesTiers) return true;
    const isDone = await core.hub.stack.drop(keys.map((key) => core.fullKey(key)));
    for (const key of keys) core.invalidate(key);
    return isDone;
  }

  private tell(keys: readonly string[]): Promise<boolean> {
    const { namespace, hub } = this.core;
    cacheInvalidation.publish(() => ({ kind: 'key', names: keys, isRemote: false }));
    return hub.tell(keys.map((key): Invalidation => ({ kind: 'key', namespace, key })));
  }

  private async dropAgain(key: string): Promise<boolean> {
    if (!(await this.drop([key]))) return false;
    await this.tell([key]);
    return true;
  }

  /** Writes late, unless somebody has written or deleted the key after this entry was made. */
  private async writeAgain(
    key: string,
    made: CacheEntry,
    options: ResolvedOptions,
  ): Promise<boolean> {
    const { core } = this;
    const { stack, clock, versions } = core.hub;
    const fullKey = core.fullKey(key);
    const isGone = made.staleUntilMs <= clock.nowMs();
    const { versions: current, isShared } = await versions.capture(made.tags, false);
    if (!isShared) return false;
    // Without the authority it got versions of this process alone, which say nothing to others.
    const isInvalid = made.versions.some((version, at) => version <= 0 || version !== current[at]);
    for (const level of stack.levels.toReversed()) {
      const reads = await stack.read(level, [fullKey]);
      const read = reads?.[0];
      if (read === undefined) return false;
      const isNewer =
        fenceTimeMs(read.fence) > made.createdMs || (read.entry?.createdMs ?? 0) > made.createdMs;
      if (isNewer) continue;
      if (isGone || isInvalid) {
        const reply = await level.gate.call('delete', () => level.tier.delete(fullKey));
        if (!reply.ok) return false;
        continue;
      }
      const entry = core.entryFor(level.level, made, options);
      const isAnswered = await stack.fill(level, [{ key: fullKey, entry, read }]);
      if (!isAnswered) return false;
    }
    core.guards.invalidate(key);
    await this.tell([key]);
    return true;
  }
}
