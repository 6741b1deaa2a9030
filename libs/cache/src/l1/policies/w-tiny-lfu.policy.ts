import { EvictionPolicy, type PolicyDescription } from '../eviction-policy.js';
import { FrequencySketch } from '../frequency-sketch.js';
import { HillClimber } from '../hill-climber.js';
import { RandomSource } from '../random-source.js';
import { SlotLinks, SlotList } from '../slot-list.js';
import { grown, type SlotTable } from '../slot-table.js';

const PROTECTED_SHARE = 0.8;
/** Window entries moved at most by one insertion, so that no insertion pays for a shrunk window. */
const MOVES_PER_INSERT = 8;
/** From this estimate on a loser gets in by chance, which keeps chosen collisions from owning the cache. */
const LUCKY_ESTIMATE = 6;
const LUCKY_ONE_IN = 128;

const WINDOW = 0;
const PROBATION = 1;
const PROTECTED = 2;

/**
 * W-TinyLFU (Einziger, Friedman, Manes, ACM TOS 2017): newcomers live in an LRU window; when one
 * leaves it, it takes the place of the main region's oldest only if it was used more often lately.
 * The main region is a segmented LRU. The window's size follows the hit ratio by hill climbing
 * (Einziger et al., "Adaptive Software Cache Management", Middleware 2018).
 */
export class WTinyLfuPolicy extends EvictionPolicy {
  override readonly name = 'w-tinylfu';
  override readonly usesHashes = true;
  private readonly links: SlotLinks;
  private readonly window: SlotList;
  private readonly probation: SlotList;
  private readonly safe: SlotList;
  private segments: Uint8Array;
  private readonly sketch: FrequencySketch;
  private readonly climber = new HillClimber();
  private readonly random = new RandomSource();

  constructor(table: SlotTable) {
    super(table);
    this.links = new SlotLinks(table);
    this.window = new SlotList(this.links);
    this.probation = new SlotList(this.links);
    this.safe = new SlotList(this.links);
    this.segments = new Uint8Array(table.slots);
    this.sketch = new FrequencySketch(table.slots);
  }

  override reserve(slots: number): void {
    this.links.reserve(slots);
    this.segments = grown(this.segments, slots);
    this.sketch.resize(slots);
  }

  override insert(slot: number): void {
    this.sketch.add(this.table.hashes[slot] as number);
    this.climber.miss(this.window.length + this.probation.length + this.safe.length);
    this.put(slot, WINDOW, this.window);
    for (let moves = 0; moves < MOVES_PER_INSERT; moves += 1) {
      if (this.window.length < 2 || this.window.share() <= this.climber.share) break;
      this.put(this.window.shift(), PROBATION, this.probation);
    }
  }

  override hit(slot: number): void {
    this.sketch.add(this.table.hashes[slot] as number);
    this.climber.hit();
    switch (this.segments[slot]) {
      case WINDOW:
        this.window.renew(slot);
        break;
      case PROTECTED:
        this.safe.renew(slot);
        break;
      default:
        this.promote(slot);
    }
  }

  override reweigh(slot: number, newWeight: number): void {
    this.listOf(slot).bytes += newWeight - (this.table.weights[slot] as number);
  }

  override remove(slot: number): void {
    this.listOf(slot).remove(slot);
  }

  override evict(): number {
    const { window, probation, safe } = this;
    const main = probation.length > 0 ? probation : safe;
    if (main.length === 0) return window.shift();
    if (window.length === 0 || window.share() < this.climber.share) return main.shift();
    const candidate = window.head;
    if (!this.isWorthMore(candidate, main.head)) return window.shift();
    window.shift();
    const victim = main.shift();
    this.put(candidate, PROBATION, probation);
    return victim;
  }

  override *order(): Generator<number> {
    yield* this.probation;
    yield* this.window;
    yield* this.safe;
  }

  override clear(): void {
    this.window.clear();
    this.probation.clear();
    this.safe.clear();
    this.sketch.clear();
  }

  override adopt(order: Iterable<number>): void {
    for (const slot of order) this.put(slot, PROBATION, this.probation);
  }

  override describe(): PolicyDescription {
    return {
      window: this.window.length,
      probation: this.probation.length,
      protected: this.safe.length,
      windowShare: this.climber.share,
    };
  }

  private isWorthMore(candidate: number, victim: number): boolean {
    const { hashes } = this.table;
    const estimate = this.sketch.estimate(hashes[candidate] as number);
    if (estimate > this.sketch.estimate(hashes[victim] as number)) return true;
    return estimate >= LUCKY_ESTIMATE && this.random.below(LUCKY_ONE_IN) === 0;
  }

  private promote(slot: number): void {
    this.probation.remove(slot);
    this.put(slot, PROTECTED, this.safe);
    const share = PROTECTED_SHARE * (1 - this.climber.share);
    while (this.safe.length > 1 && this.safe.share() > share) {
      this.put(this.safe.shift(), PROBATION, this.probation);
    }
  }

  private put(slot: number, segment: number, list: SlotList): void {
    this.segments[slot] = segment;
    list.push(slot);
  }

  private listOf(slot: number): SlotList {
    switch (this.segments[slot]) {
      case WINDOW:
        return this.window;
      case PROTECTED:
        return this.safe;
      default:
        return this.probation;
    }
  }
}
