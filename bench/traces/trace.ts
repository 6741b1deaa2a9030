/**
 * A sequence of accesses to a cache. Keys are numbered from 0 in the order of their first access,
 * so that a simulation needs arrays only.
 */
export interface Trace {
  readonly name: string;
  readonly keys: Uint32Array;
  readonly distinct: number;
  /** Where each phase of a workload that changes begins; one phase without a name otherwise. */
  readonly phases: readonly TracePhase[];
}

export interface TracePhase {
  readonly name: string;
  readonly start: number;
}

/** Collects accesses of any kind of key into a trace. */
export class TraceBuilder<Key> {
  private readonly numbers = new Map<Key, number>();
  private keys = new Uint32Array(1024);
  private length = 0;
  private readonly phases: TracePhase[] = [];

  add(key: Key): void {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(key, number);
    }
    if (this.length === this.keys.length) {
      const longer = new Uint32Array(this.keys.length * 2);
      longer.set(this.keys);
      this.keys = longer;
    }
    this.keys[this.length] = number;
    this.length += 1;
  }

  startPhase(name: string): void {
    this.phases.push({ name, start: this.length });
  }

  build(name: string): Trace {
    return {
      name,
      keys: this.keys.slice(0, this.length),
      distinct: this.numbers.size,
      phases: this.phases.length === 0 ? [{ name: '', start: 0 }] : this.phases,
    };
  }
}
