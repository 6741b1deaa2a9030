import { EXPORT_BOUNDS_SECONDS, WindowedSketch } from '../sketch/windowed-sketch.js';
import {
  type FamilyOptions,
  LabelSets,
  type Metric,
  type Sample,
  type SlottedMetric,
} from './metric.js';

const BOUND_LABELS = EXPORT_BOUNDS_SECONDS.map((seconds) => ({ le: String(seconds) }));
const INFINITE = { le: '+Inf' };

/** The durations of one combination of label values. */
export class DurationRecorder<Label extends string = string> extends WindowedSketch {
  constructor(readonly labels: Readonly<Record<Label, string>>) {
    super();
  }
}

/** Durations by labels, with percentiles over windows; exported as a histogram in seconds. */
export class DurationFamily<Label extends string = string> implements Metric, SlottedMetric {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  private readonly sets: LabelSets<Label, DurationRecorder<Label>>;

  /** `name` ends in `_seconds`. */
  constructor(options: FamilyOptions<Label>) {
    this.name = options.name;
    this.help = options.help;
    this.sets = new LabelSets(options, (labels) => new DurationRecorder(labels));
  }

  /** The recorder of these label values, in the order of the labels. May be kept. */
  of(...values: readonly string[]): DurationRecorder<Label> {
    return this.sets.get(values);
  }

  recorders(): DurationRecorder<Label>[] {
    return this.sets.values();
  }

  advance(slots: number): void {
    for (const recorder of this.sets.values()) recorder.advance(slots);
  }

  samples(): readonly Sample[] {
    const bucket = `${this.name}_bucket`;
    const samples: Sample[] = [];
    for (const recorder of this.sets.values()) {
      const { labels } = recorder;
      const { cumulative, count, sumMs } = recorder.total();
      for (const [at, extra] of BOUND_LABELS.entries()) {
        samples.push({ name: bucket, labels, extra, value: cumulative[at] ?? count });
      }
      samples.push({ name: bucket, labels, extra: INFINITE, value: count });
      samples.push({ name: `${this.name}_sum`, labels, value: sumMs / 1_000 });
      samples.push({ name: `${this.name}_count`, labels, value: count });
    }
    return samples;
  }
}
