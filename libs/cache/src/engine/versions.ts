import type { Clock } from '#libs/core';
import type { SyncState } from '../coherence/sync-state.js';
import type { CacheEntry } from '../entry/cache-entry.js';
import { Gate } from '../tier/gate.js';
import type { VersionStore } from '../versions/version-store.js';
import type { EntryTags, TagRef, TagTable, TagVector } from './tag-table.js';

/** The versions from before a load. */
export interface Capture extends TagVector {
  /** Whether the authority stands behind them; if not, the entry stays in this process. */
  readonly isShared: boolean;
  /** The authority's clock when it was asked; undefined if it was not. */
  readonly now: number | undefined;
}

/** What the versions say of an entry of a shared level. */
export type Verdict = 'valid' | 'invalid' | 'unknown';

/** Answers questions on versions from memory where that is certain, else from the authority. */
export class Versions {
  readonly gate: Gate;

  constructor(
    readonly table: TagTable,
    private readonly sync: SyncState,
    private readonly store: VersionStore,
    options: { readonly clock: Clock; readonly timeoutMs: number | undefined },
  ) {
    const { clock, timeoutMs } = options;
    this.gate = new Gate(store.name, { clock, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  /** The versions that an entry with `names` has if it is loaded from now on; at once where they are known. */
  capture(names: readonly string[], wantsNow: boolean): Capture | Promise<Capture> {
    return (wantsNow ? undefined : this.captureKnown(names)) ?? this.captureAsking(names, wantsNow);
  }

  private captureKnown(names: readonly string[]): Capture | undefined {
    const refs: TagRef[] = [];
    const versions: number[] = [];
    let isShared = true;
    for (const name of names) {
      const ref = this.table.verified(name);
      if (ref === undefined) return undefined;
      refs.push(ref);
      versions.push(ref.version);
      isShared &&= ref.version > 0;
    }
    return { refs, versions, isShared, now: undefined };
  }

  private async captureAsking(names: readonly string[], wantsNow: boolean): Promise<Capture> {
    const answer = await this.ask(names, wantsNow);
    const refs = names.map((name) => this.table.ref(name));
    const isShared = answer.ok && refs.every((ref) => !ref.isPending && ref.version > 0);
    return { refs, versions: refs.map((ref) => ref.version), isShared, now: answer.now };
  }

  /** Whether entries that were loaded with these versions may be used; at once where they are known. */
  judge(entries: readonly CacheEntry[]): Verdict[] | Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const entry of entries) {
      const verdict = this.judgeKnown(entry);
      if (verdict === undefined) return this.judgeAsking(entries);
      verdicts.push(verdict);
    }
    return verdicts;
  }

  private judgeKnown({ tags, versions }: CacheEntry): Verdict | undefined {
    let verdict: Verdict = 'valid';
    for (let index = 0; index < tags.length; index += 1) {
      const ref = this.table.verified(tags[index] as string);
      if (ref === undefined) return undefined;
      if (ref.version > 0 && ref.version !== versions[index]) return 'invalid';
      if (!(ref.version > 0)) verdict = 'unknown';
    }
    return verdict;
  }

  private async judgeAsking(entries: readonly CacheEntry[]): Promise<Verdict[]> {
    const names = new Set(entries.flatMap((entry) => entry.tags));
    const answer = await this.ask([...names], false);
    return entries.map((entry) => {
      let isKnown = true;
      for (const [index, name] of entry.tags.entries()) {
        const ref = this.table.ref(name);
        if (ref.isPending) return 'invalid';
        if (ref.version > 0 && ref.version !== entry.versions[index]) return 'invalid';
        isKnown &&= answer.ok && ref.version > 0;
      }
      return isKnown ? 'valid' : 'unknown';
    });
  }

  /** All names of an entry of a shared level. */
  vectorOf({ tags, versions }: CacheEntry): TagVector {
    return { refs: tags.map((name) => this.table.ref(name)), versions };
  }

  tagsOf(vector: TagVector, from: number): EntryTags | null {
    return this.table.tagsOf(vector, from);
  }

  /** Gives the names new versions; undefined when the authority does not answer. */
  async bump(names: readonly string[]): Promise<number[] | undefined> {
    const reply = await this.gate.call('bump', () => this.store.bump(names));
    return reply.ok ? reply.value : undefined;
  }

  private async ask(
    names: readonly string[],
    wantsNow: boolean,
  ): Promise<{ ok: boolean; now: number | undefined }> {
    const uncertain = names.filter((name) => this.table.verified(name) === undefined);
    if (uncertain.length === 0 && !wantsNow) return { ok: true, now: undefined };
    const { epoch } = this.sync;
    const reply = await this.gate.call('read', () => this.store.read(uncertain));
    if (!reply.ok) return { ok: uncertain.length === 0, now: undefined };
    for (const [index, name] of uncertain.entries()) {
      this.table.learn(name, reply.value.versions[index] as number, epoch);
    }
    return { ok: true, now: reply.value.now };
  }
}
