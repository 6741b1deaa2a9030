import { type FamilyOptions, LabelSets, type Metric, type Sample } from './metric.js';

/** The count of one combination of label values. */
export class Counter {
  value = 0;

  constructor(readonly labels: Readonly<Record<string, string>>) {}

  increment(by = 1): void {
    this.value += by;
  }
}

/** Counters that only go up, by labels; a bounded number of them. */
export class CounterFamily<Label extends string = string> implements Metric {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  private readonly sets: LabelSets<Label, Counter>;

  constructor(options: FamilyOptions<Label>) {
    this.name = options.name;
    this.help = options.help;
    this.sets = new LabelSets(options, (labels) => new Counter(labels));
    // A counter without labels stands at 0 from the start, so that its first step is seen.
    if (options.labels.length === 0) this.sets.get([]);
  }

  /** The counter of these label values, in the order of the labels. May be kept. */
  of(...values: readonly string[]): Counter {
    return this.sets.get(values);
  }

  samples(): readonly Sample[] {
    return this.sets.values();
  }
}
