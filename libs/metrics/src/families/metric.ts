/** One number under a name and its labels. */
export interface Sample {
  /** Differs from the metric's own for the parts of a histogram. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Labels that come on top, such as `le`. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly value: number;
}

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** Something that is exported under one name. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  samples(): readonly Sample[] | Promise<readonly Sample[]>;
}

/** Metrics with slots of time, which the registry moves on. */
export interface SlottedMetric {
  advance(slots: number): void;
}

export interface FamilyOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Combinations of label values that are told apart; all others are counted under `<other>`. */
  readonly maxLabelSets: number;
}

/** The value of every label of the combinations beyond the bound. */
export const OTHER = '<other>';

/** Finds or makes what belongs to a combination of label values, up to a number of them. */
export class LabelSets<Label extends string, Value> {
  private readonly sets = new Map<string, Value>();
  private overflow: Value | undefined;

  constructor(
    private readonly options: FamilyOptions<Label>,
    private readonly make: (labels: Readonly<Record<Label, string>>) => Value,
  ) {}

  get(values: readonly string[]): Value {
    const key = values.length === 1 ? (values[0] as string) : values.join('\u0000');
    const found = this.sets.get(key);
    if (found !== undefined) return found;
    if (this.sets.size >= this.options.maxLabelSets) return this.overflowing();
    const made = this.make(this.labelled(values));
    this.sets.set(key, made);
    return made;
  }

  /** All combinations so far, that of the others last. */
  values(): Value[] {
    const all = [...this.sets.values()];
    return this.overflow === undefined ? all : [...all, this.overflow];
  }

  private overflowing(): Value {
    this.overflow ??= this.make(this.labelled(this.options.labels.map(() => OTHER)));
    return this.overflow;
  }

  private labelled(values: readonly string[]): Readonly<Record<Label, string>> {
    const entries = this.options.labels.map((label, at) => [label, values[at] ?? '']);
    return Object.fromEntries(entries) as Record<Label, string>;
  }
}
