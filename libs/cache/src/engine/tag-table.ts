import type { SyncState } from '../coherence/sync-state.js';

/** What this process knows of one name's version. Entries hold it, so a check is one comparison. */
export class TagRef {
  /** Whether this process has invalidated the name and the authority has not confirmed it yet. */
  isPending = false;
  /** The sync epoch in which the version was read or announced. */
  verifiedIn = 0;
  /** The last vector of an entry that began or ended with the name. */
  vector: EntryTags | undefined;

  constructor(
    readonly name: string,
    public version: number,
  ) {}
}

/** Names and the versions they had at one moment. */
export interface TagVector {
  readonly refs: readonly TagRef[];
  readonly versions: readonly number[];
}

/** The vector of one entry, or of many that have the same tags with the same versions. */
export class EntryTags implements TagVector {
  /** Whether an entry has it already, so that another one takes no more memory for it. */
  isHeld = false;

  constructor(
    readonly refs: readonly TagRef[],
    readonly versions: readonly number[],
  ) {}
}

/** Whether no name of the vector was invalidated since. */
export function isCurrent({ refs, versions }: TagVector): boolean {
  for (let index = 0; index < refs.length; index += 1) {
    if ((refs[index] as TagRef).version !== versions[index]) return false;
  }
  return true;
}

const DEFAULT_MAX_NAMES = 100_000;

/**
 * The versions that this process knows. A bump is announced by the backplane and only ever raises
 * a version. Until the authority has confirmed a bump of this process, the name has a negative
 * version that no entry of a shared level can have.
 *
 * It knows at most `maxNames` of them, by generations: when there are half as many new ones, those
 * that nobody has asked for since the last time are forgotten.
 */
export class TagTable {
  /** Counts every invalidation that was applied here, of whatever name. */
  changes = 0;
  private young = new Map<string, TagRef>();
  private old = new Map<string, TagRef>();
  private provisional = 0;

  constructor(
    private readonly sync: SyncState,
    private readonly maxNames = DEFAULT_MAX_NAMES,
  ) {}

  get size(): number {
    return this.young.size + this.old.size;
  }

  /** The version of `name`, if it is certain that no newer one was announced. */
  verified(name: string): TagRef | undefined {
    const ref = this.find(name);
    return ref !== undefined && this.isVerified(ref) ? ref : undefined;
  }

  isVerified(ref: TagRef): boolean {
    return this.sync.isInSync && ref.verifiedIn === this.sync.epoch && !ref.isPending;
  }

  /** What is known of `name`; a name that is new has a version that no shared entry has. */
  ref(name: string): TagRef {
    return this.find(name) ?? this.add(new TagRef(name, this.nextProvisional()));
  }

  /**
   * What an entry keeps of a vector: the names from place `from` on, null if there are none. The same
   * object as of the last entry with the same names and versions, as far as that is known.
   */
  tagsOf({ refs, versions }: TagVector, from: number): EntryTags | null {
    const first = refs[from];
    const last = refs.at(-1);
    if (first === undefined || last === undefined) return null;
    for (const known of [first.vector, last.vector]) {
      if (known !== undefined && isSame(known, refs, versions, from)) return known;
    }
    const tags = new EntryTags(refs.slice(from), versions.slice(from));
    first.vector = tags;
    last.vector = tags;
    return tags;
  }

  /** Takes over what the authority answered to a question that was asked in `epoch`. */
  learn(name: string, version: number, epoch: number): TagRef {
    const ref = this.ref(name);
    if (ref.isPending) return ref;
    if (version > ref.version) ref.version = version;
    ref.verifiedIn = epoch;
    return ref;
  }

  /** Invalidates what has `name` at once, before the authority knows. */
  begin(name: string): void {
    const ref = this.ref(name);
    ref.isPending = true;
    ref.version = this.nextProvisional();
    this.changes += 1;
  }

  /** Ends what was begun, also what failed before, with a version that the authority gave since. */
  confirm(name: string, version: number): void {
    this.ref(name).isPending = false;
    this.announce(name, version);
  }

  /** Takes over a version that was given to `name`, here or elsewhere. */
  announce(name: string, version: number): void {
    const ref = this.ref(name);
    this.changes += 1;
    if (version > ref.version) ref.version = version;
    if (!ref.isPending) ref.verifiedIn = this.sync.epoch;
  }

  private find(name: string): TagRef | undefined {
    const ref = this.young.get(name);
    if (ref !== undefined) return ref;
    const older = this.old.get(name);
    if (older === undefined) return undefined;
    this.old.delete(name);
    return this.add(older);
  }

  private add(ref: TagRef): TagRef {
    if (this.young.size >= this.maxNames / 2) this.forgetOld();
    this.young.set(ref.name, ref);
    return ref;
  }

  /** What holds one of the forgotten names is invalid afterwards; that is safe. */
  private forgetOld(): void {
    const forgotten = this.old;
    this.old = this.young;
    this.young = new Map();
    for (const ref of forgotten.values()) {
      // A name whose invalidation is not confirmed must not be learnt anew.
      if (ref.isPending) this.young.set(ref.name, ref);
      else ref.version = Number.NaN;
    }
    this.changes += 1;
  }

  private nextProvisional(): number {
    this.provisional -= 1;
    return this.provisional;
  }
}

function isSame(
  known: TagVector,
  refs: readonly TagRef[],
  versions: readonly number[],
  from: number,
): boolean {
  if (known.refs.length !== refs.length - from) return false;
  for (const [index, ref] of known.refs.entries()) {
    if (ref !== refs[from + index] || known.versions[index] !== versions[from + index])
      return false;
  }
  return true;
}
