import type { Clock } from '#libs/core';
import { refill, spend, type Verdict } from '../gcra/bucket.js';
import { EPOCH_US, type Grant, type Take } from '../gcra/held-bucket.js';
import type { RatePolicy } from '../gcra/rate-policy.js';
import { KeyTable } from './key-table.js';
import { firstOf, Limiter, type RefusedKey } from './limiter.js';
import { SharedEntry } from './shared-entry.js';
import type { StoreGate } from './store-gate.js';

/** Of what is left a process that was not at its limit of late reserves at most this part. */
const CAUTIOUS_PART = 64;
/** One that was within this time: what it reserves, it uses at once. */
const HUNGRY_PART = 2;
const HUNGRY_US = 250_000;
const MOST_WANTED = 4_096;
/** A reserve that lasts shorter than this was too small. */
const SHORT_US = 1_000_000;
/** Holders stop using a reserve some time before the store stops holding it for them. */
const RESERVE_LIFE_US = EPOCH_US * 0.9;
/** A reserve that comes back by itself within this time is not worth giving back. */
const WORTH_US = 50_000;
/** After a refusal the store is left alone for so long: what comes back meanwhile is not lost. */
const LEAST_PAUSE_US = 10_000;
/** And not longer than this: others may give reserves back, and settings may change. */
const LONGEST_PAUSE_US = 1_000_000;

export interface SharedLimiterOptions {
  readonly policy: RatePolicy;
  readonly gate: StoreGate;
  readonly clock: Clock;
  readonly maxKeys: number;
  /** Among how many processes a budget is parted while the store is away. */
  readonly processes: () => number;
}

/**
 * Budgets that processes share, kept in a store. A process takes requests out of a budget in small
 * reserves, from which it answers without asking; and it remembers until when a refusal holds. While
 * the store is away each process goes by its part of what was left.
 */
export class SharedLimiter extends Limiter {
  private readonly options: SharedLimiterOptions;
  private readonly table: KeyTable<SharedEntry>;
  /** Entries whose reserves are worth being given back. */
  private readonly reserved = new Set<SharedEntry>();
  /** Entries of which the store has to be told when it is back. */
  private readonly alone = new Set<SharedEntry>();
  private part: RatePolicy;
  private partOf = 0;

  constructor(options: SharedLimiterOptions) {
    super(options.policy);
    this.options = options;
    this.part = options.policy;
    this.table = new KeyTable((key) => new SharedEntry(key), options.maxKeys);
  }

  get keys(): number {
    return this.table.size;
  }

  check(key: string, nowUs: number): Verdict | undefined {
    const entry = this.table.touch(key);
    if (entry.reserve > 0 && nowUs < entry.reserveUntilUs) {
      entry.reserve -= 1;
      this.allowed += 1;
      return this.leftAt(entry, nowUs) + entry.reserve;
    }
    if (nowUs < entry.askAgainUs) return this.refuse(entry, entry.refusedUntilUs - nowUs);
    if (this.options.gate.isAway()) return this.checkAlone(entry, nowUs);
    return undefined;
  }

  ask(key: string): Promise<Verdict> {
    const entry = this.table.touch(key);
    return new Promise((resolve) => {
      entry.waiting.push(resolve);
      if (!entry.isAsking) void this.askFor(entry);
    });
  }

  change(policy: RatePolicy): void {
    if (policy.cellUnits !== this.current.cellUnits) {
      this.table.clear();
      this.reserved.clear();
      this.alone.clear();
    }
    for (const entry of this.table.entries()) this.setAside(entry);
    this.current = policy;
    this.partOf = 0;
  }

  /** What it knows is by limits of before: who was refused may be let through now, or the other way. */
  private setAside(entry: SharedEntry): void {
    entry.askAgainUs = 0;
    entry.outdated += entry.reserve;
    entry.reserve = 0;
  }

  mostRefused(count: number): RefusedKey[] {
    return firstOf(this.table.entries(), count);
  }

  /**
   * Gives back reserves that nobody has used since the last call, and tells the store what it has
   * missed. To be called a few times a second.
   */
  settleIdle(): Promise<void> {
    return this.settleThose((entry) => entry.reserve === entry.reserveSeen);
  }

  /** Gives all reserves back. */
  settleAll(): Promise<void> {
    return this.settleThose(() => true);
  }

  private async settleThose(isDue: (entry: SharedEntry) => boolean): Promise<void> {
    if (this.options.gate.state === 'local') return;
    const nowUs = this.nowUs();
    const due = new Set([...this.alone].filter(({ isAsking }) => !isAsking));
    for (const entry of this.reserved) {
      const isEmpty = entry.reserve === 0 && entry.outdated === 0;
      if (isEmpty || nowUs >= entry.reserveUntilUs) this.reserved.delete(entry);
      else if ((entry.outdated > 0 || isDue(entry)) && !entry.isAsking) due.add(entry);
      else entry.reserveSeen = entry.reserve;
    }
    await Promise.all([...due].map((entry) => this.settleOne(entry)));
  }

  private async settleOne(entry: SharedEntry): Promise<void> {
    entry.isAsking = true;
    const sentUs = this.nowUs();
    const request = this.settle(entry, 0, 0, CAUTIOUS_PART);
    const grant = await this.options.gate.take(request);
    if (grant === undefined) entry.debt += request.debt;
    else this.learn(entry, grant, sentUs);
    void this.askFor(entry);
  }

  /** Asks the store until nobody waits. For each entry one question is under way at a time. */
  private async askFor(entry: SharedEntry): Promise<void> {
    entry.isAsking = true;
    while (entry.waiting.length > 0) {
      const need = entry.waiting.length;
      const sentUs = this.nowUs();
      const isHungry = entry.hunger > 0 && sentUs < entry.askAgainUs + HUNGRY_US;
      const want = isHungry ? Math.min(entry.hunger, MOST_WANTED) : entry.want;
      const request = this.settle(entry, need, want, isHungry ? HUNGRY_PART : CAUTIOUS_PART);
      entry.hunger = 0;
      const grant = await this.options.gate.take(request);
      if (grant === undefined) {
        entry.debt += request.debt;
        this.answerAlone(entry);
      } else this.answer(entry, need, grant, sentUs);
      if (request.policy !== this.current) this.setAside(entry);
    }
    entry.isAsking = false;
  }

  /** A request to the store that ends the present reserve, and takes the debt along. */
  private settle(entry: SharedEntry, need: number, want: number, part: number): Take {
    const nowUs = this.nowUs();
    const isUsable = nowUs < entry.reserveUntilUs;
    this.adapt(entry, nowUs);
    const request = {
      key: entry.key,
      policy: this.current,
      need,
      want,
      part,
      settledEpoch: entry.epoch,
      settled: entry.granted,
      returned: isUsable ? entry.reserve + entry.outdated : 0,
      debt: this.debtOf(entry, nowUs),
    };
    entry.reserve = 0;
    entry.outdated = 0;
    entry.granted = 0;
    entry.epoch = 0;
    entry.debt = 0;
    this.reserved.delete(entry);
    return request;
  }

  /** Reserves as large as lasts for about a second. */
  private adapt(entry: SharedEntry, nowUs: number): void {
    if (entry.granted === 0) return;
    if (entry.reserve > entry.granted / 2) entry.want = Math.max(1, entry.want >> 1);
    else if (nowUs - entry.grantedAtUs < SHORT_US) {
      entry.want = Math.min(MOST_WANTED, entry.want * 2);
    }
  }

  private answer(entry: SharedEntry, need: number, grant: Grant, sentUs: number): void {
    const nowUs = this.nowUs();
    this.learn(entry, grant, sentUs);
    if (grant.reserve > 0) {
      entry.reserve = grant.reserve;
      entry.granted = grant.reserve;
      entry.epoch = grant.epoch;
      entry.grantedAtUs = nowUs;
      entry.reserveUntilUs = sentUs + RESERVE_LIFE_US;
      entry.reserveSeen = -1;
      if (grant.reserve * this.current.cellUs >= WORTH_US) this.remember(this.reserved, entry);
    }
    const isRefused = grant.granted < need;
    if (isRefused) {
      const pauseUs = Math.min(LEAST_PAUSE_US, (this.current.capacity * this.current.cellUs) / 4);
      entry.refusedUntilUs = sentUs + Math.max(grant.waitUs, pauseUs);
      entry.askAgainUs = Math.min(entry.refusedUntilUs, sentUs + LONGEST_PAUSE_US);
    }
    const waiting = entry.waiting.splice(0, isRefused ? entry.waiting.length : need);
    for (const [at, resolve] of waiting.entries()) {
      if (at < grant.granted) {
        this.allowed += 1;
        resolve(grant.available + entry.reserve);
      } else resolve(this.refuse(entry, Math.max(1, entry.refusedUntilUs - nowUs)));
    }
    // Those that came meanwhile go by the reserve.
    while (entry.waiting.length > 0 && entry.reserve > 0) {
      entry.reserve -= 1;
      this.allowed += 1;
      entry.waiting.shift()?.(grant.available + entry.reserve);
    }
  }

  private learn(entry: SharedEntry, grant: Grant, sentUs: number): void {
    entry.left = grant.available;
    entry.leftAtUs = sentUs;
    entry.isAlone = false;
    this.alone.delete(entry);
  }

  private answerAlone(entry: SharedEntry): void {
    const nowUs = this.nowUs();
    for (const resolve of entry.waiting.splice(0)) resolve(this.checkAlone(entry, nowUs));
  }

  /** Goes by the part of this process, which begins with its part of what was left to all. */
  private checkAlone(entry: SharedEntry, nowUs: number): Verdict {
    const part = this.partNow();
    if (!entry.isAlone) {
      entry.isAlone = true;
      this.remember(this.alone, entry);
      entry.atUs = nowUs;
      const left = entry.left < 0 ? this.current.capacity : this.leftAt(entry, nowUs);
      const missing = Math.max(0, part.capacity - left / this.partOf);
      entry.deficit = Math.ceil(missing * part.cellUnits);
    }
    const verdict = spend(entry, part, nowUs);
    if (verdict < 0) return this.refuse(entry, -verdict);
    entry.debt += 1;
    this.allowed += 1;
    return verdict;
  }

  /** Requests let through during an outage that have not come back since. */
  private debtOf(entry: SharedEntry, nowUs: number): number {
    const { debt } = entry;
    if (debt === 0) return 0;
    const part = this.partNow();
    refill(entry, part, nowUs);
    return Math.min(debt, Math.ceil(entry.deficit / part.cellUnits));
  }

  private partNow(): RatePolicy {
    const processes = this.options.processes();
    if (processes !== this.partOf) {
      this.partOf = processes;
      this.part = this.current.shareOf(processes);
    }
    return this.part;
  }

  /** The table may have forgotten an entry of these already; they must not grow for that. */
  private remember(entries: Set<SharedEntry>, entry: SharedEntry): void {
    entries.add(entry);
    if (entries.size <= this.options.maxKeys) return;
    const [oldest] = entries;
    if (oldest !== undefined) entries.delete(oldest);
  }

  /** What is left to all, as far as this process knows. */
  private leftAt(entry: SharedEntry, nowUs: number): number {
    const { capacity, cellUs } = this.current;
    const left = Math.max(0, entry.left) + Math.floor((nowUs - entry.leftAtUs) / cellUs);
    return Math.min(capacity - entry.reserve, left);
  }

  private refuse(entry: SharedEntry, waitUs: number): Verdict {
    this.refused += 1;
    entry.refused += 1;
    entry.hunger += 1;
    return -waitUs;
  }

  private nowUs(): number {
    return Math.floor(this.options.clock.monotonicMs() * 1_000);
  }
}
