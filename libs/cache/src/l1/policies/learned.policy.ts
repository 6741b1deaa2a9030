import { ageBin } from '../age-bins.js';
import { EvictionPolicy, type Miniature, type PolicyDescription } from '../eviction-policy.js';
import { FrequencySketch } from '../frequency-sketch.js';
import { RandomSource } from '../random-source.js';
import { ReuseHistory } from '../reuse-history.js';
import { ReuseModel } from '../reuse-model.js';
import { SlotSet } from '../slot-set.js';
import { grown, type SlotTable } from '../slot-table.js';
import { max, min } from '../integer-math.js';

/** Entries that are compared for one eviction. */
const CANDIDATES = 24;
/** How far back the history reaches, in keys for each slot. */
const HISTORY_REACH = 16;
const HISTORY_CAPACITY = 8_192;
/** Uses are remembered four times as long as W-TinyLFU does: the model weighs them itself. */
const SKETCH = { sampleFactor: 40, width: 2 } as const;
/** Class of a number of uses: 1, 2, 3 and 4, 5 to 7, 8 to 11, 12 and more. */
const USE_CLASSES = [0, 0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5] as const;
const GAP_CLASSES = 10;

/**
 * Learns on line what keeping an entry is worth. Each entry belongs to a class, by how often its key
 * was used lately (a frequency sketch, which also knows keys that have left) and by the mean gap
 * between its uses; a `ReuseModel` tells from what became of a sample of the keys how soon entries
 * of the class are used again at which age. Of 24 entries drawn at random the one leaves that is
 * worth least, for each byte where bytes are what is short.
 *
 * Time is counted in entries that came, not in accesses: whatever the hit ratio, an entry that is
 * not used stays for about as much time as the cache has entries.
 *
 * The idea of a relaxed optimum learnt from the traffic is that of Song et al., "Learning Relaxed
 * Belady" (NSDI 2020), ranking by expected hits for the place taken that of Beckmann et al., "LHD"
 * (NSDI 2018). On 20 recorded traces at 0.1, 1 and 10 % of their keys it misses 8.3 % less than LRU in
 * the geometric mean and 0.9 % more at worst; W-TinyLFU misses 3.8 % less and 11 % more. An eviction
 * costs about 1 µs more than LRU's, a hit 70 ns more; the model takes up to half a megabyte, the
 * rest 50 bytes an entry.
 */
export class LearnedPolicy extends EvictionPolicy {
  override readonly name = 'learned';
  override readonly usesHashes = true;
  private readonly members: SlotSet;
  private readonly random = new RandomSource();
  private readonly sketch: FrequencySketch;
  private lastUses: Uint32Array;
  private gaps: Uint8Array;
  private classes: Uint8Array;
  private model!: ReuseModel;
  private history!: ReuseHistory;
  private middleBin = 0;
  private now = 0;
  private bytes = 0;

  constructor(table: SlotTable) {
    super(table);
    const { slots } = table;
    this.members = new SlotSet(slots);
    this.sketch = new FrequencySketch(slots, SKETCH);
    this.lastUses = new Uint32Array(slots);
    this.gaps = new Uint8Array(slots);
    this.classes = new Uint8Array(slots);
    this.startModel(slots);
  }

  override reserve(slots: number): void {
    this.members.reserve(slots);
    this.sketch.resize(slots);
    this.lastUses = grown(this.lastUses, slots);
    this.gaps = grown(this.gaps, slots);
    this.classes = grown(this.classes, slots);
    this.startModel(slots);
  }

  override insert(slot: number): void {
    this.members.add(slot);
    this.bytes += this.table.weights[slot] as number;
    this.gaps[slot] = 0;
    this.now = (this.now + 1) >>> 0;
    this.use(slot);
    if (this.model.isDue(this.now)) this.model.refit(this.history, this.now);
  }

  override hit(slot: number): void {
    const age = (this.now - (this.lastUses[slot] as number)) >>> 0;
    const bin = ageBin(age) + 1;
    const gap = this.gaps[slot] as number;
    // The mean of the last gap and those before, on the scale of bins, plus one.
    this.gaps[slot] = gap === 0 ? bin : (gap + bin + 1) >>> 1;
    this.use(slot);
  }

  override reweigh(slot: number, newWeight: number): void {
    this.bytes += newWeight - (this.table.weights[slot] as number);
  }

  override remove(slot: number): void {
    this.members.delete(slot);
    this.bytes -= this.table.weights[slot] as number;
  }

  override evict(): number {
    const { members, table, model, classes, lastUses, now } = this;
    const isBoundByBytes = this.bytes / table.maxBytes > members.size / table.maxItems;
    const all = members.size <= CANDIDATES;
    const candidates = all ? members.size : CANDIDATES;
    let victim = -1;
    let least = Number.POSITIVE_INFINITY;
    let oldest = 0;
    for (let candidate = 0; candidate < candidates; candidate += 1) {
      const slot = members.at(all ? candidate : this.random.below(members.size));
      const age = (now - (lastUses[slot] as number)) >>> 0;
      let worth = model.worth(classes[slot] as number, age);
      if (isBoundByBytes) worth /= table.weights[slot] as number;
      if (worth < least || (worth === least && age > oldest)) {
        victim = slot;
        least = worth;
        oldest = age;
      }
    }
    this.remove(victim);
    return victim;
  }

  override *order(): Generator<number> {
    const worth = (slot: number): number =>
      this.model.worth(
        this.classes[slot] as number,
        (this.now - (this.lastUses[slot] as number)) >>> 0,
      );
    yield* [...this.members].sort((a, b) => worth(a) - worth(b));
  }

  /** The model and the counts of uses stay: a flush changes no habit. */
  override clear(): void {
    this.members.clear();
    this.bytes = 0;
  }

  override adopt(order: Iterable<number>, miniature?: Miniature): void {
    const { table } = this;
    let rank = 0;
    for (const slot of order) {
      this.members.add(slot);
      this.bytes += table.weights[slot] as number;
      this.gaps[slot] = 0;
      this.classes[slot] = this.classOf(1, 0);
      this.lastUses[slot] = rank;
      rank += 1;
    }
    this.now = rank;
    if (miniature?.policy instanceof LearnedPolicy) {
      this.model.learnFrom(miniature.policy.model, 1 / miniature.rate);
    }
  }

  override describe(): PolicyDescription {
    return {
      sampleRate: this.history.rate,
      ...this.model.describe(),
    };
  }

  private use(slot: number): void {
    const hash = this.table.hashes[slot] as number;
    this.sketch.add(hash);
    const keyClass = this.classOf(this.sketch.estimate(hash), this.gaps[slot] as number);
    this.classes[slot] = keyClass;
    this.lastUses[slot] = this.now;
    if (this.history.follows(hash)) this.history.record(hash, keyClass, this.now);
  }

  /** By the number of uses and by octaves of the gap, from 1/64 of the cache's entries to 8 times. */
  private classOf(uses: number, gap: number): number {
    const octave =
      gap === 0 ? 0 : 1 + min(GAP_CLASSES - 2, max(0, ((gap - this.middleBin) >> 2) + 6));
    return (USE_CLASSES[uses] as number) * GAP_CLASSES + octave;
  }

  private startModel(slots: number): void {
    const reach = max(64, HISTORY_REACH * slots);
    const capacity = min(reach, HISTORY_CAPACITY);
    const classes = GAP_CLASSES * ((USE_CLASSES.at(-1) ?? 0) + 1);
    this.model = new ReuseModel(classes, ageBin(2 * reach) + 2, slots / 4, this.now);
    this.history = new ReuseHistory(reach, capacity, this.model);
    this.middleBin = ageBin(slots);
  }
}
