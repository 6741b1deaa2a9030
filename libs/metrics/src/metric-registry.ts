import type { EventChannel } from '#libs/core';
import type { Collector } from './collectors.js';
import { CounterFamily } from './families/counter-family.js';
import { DurationFamily } from './families/duration-family.js';
import { Gauge, type GaugeReading } from './families/gauge.js';
import type { FamilyOptions, Metric, SlottedMetric } from './families/metric.js';
import { slotOf } from './sketch/time-slots.js';

/** What a family needs; without `maxLabelSets` it may have 50 combinations of label values. */
export type NewFamily<Label extends string> = Omit<
  FamilyOptions<Label>,
  'maxLabelSets' | 'labels'
> & {
  readonly labels?: readonly Label[];
  readonly maxLabelSets?: number;
};

const DEFAULT_MAX_LABEL_SETS = 50;

/**
 * Holds every metric of the process and makes new ones. Other libs count by it, or publish
 * events on channels that are turned into counts here with `onEvent`, without knowing of it.
 */
export class MetricRegistry {
  private readonly byName = new Map<string, Metric>();
  private readonly slotted = new Set<SlottedMetric>();
  private readonly collectorsByName = new Map<string, Collector>();
  private readonly subscriptions: (() => void)[] = [];
  private slot: number;

  /** @param startedAtMs monotonic time of the start */
  constructor(readonly startedAtMs: number) {
    this.slot = slotOf(startedAtMs);
  }

  /** A counter; its name ends in `_total`. */
  counter<Label extends string = never>(options: NewFamily<Label>): CounterFamily<Label> {
    return this.add(new CounterFamily(withDefaults(options)));
  }

  /** Durations with percentiles over windows; the name ends in `_seconds`. */
  durations<Label extends string = never>(options: NewFamily<Label>): DurationFamily<Label> {
    return this.addSlotted(this.add(new DurationFamily(withDefaults(options))));
  }

  /** A number that `read` tells at each scrape; it may fail or take long without harm. */
  gauge(name: string, help: string, read: () => GaugeReading | Promise<GaugeReading>): void {
    this.add(new Gauge(name, help, read));
  }

  /** A total that somebody else counts, told by `read`; its name ends in `_total`. */
  total(name: string, help: string, read: () => GaugeReading | Promise<GaugeReading>): void {
    this.add(new Gauge(name, help, read, 'counter'));
  }

  /** @throws TypeError when there is a metric of this name */
  add<Added extends Metric>(metric: Added): Added {
    if (this.byName.has(metric.name)) {
      throw new TypeError(`There is a metric "${metric.name}" already.`);
    }
    this.byName.set(metric.name, metric);
    return metric;
  }

  /** Lets `metric` know of each new slot of time. */
  addSlotted<Added extends SlottedMetric>(metric: Added): Added {
    this.slotted.add(metric);
    return metric;
  }

  /** Adds a group of figures to `/v1/perf/metrics`, under its name. */
  addCollector(collector: Collector): void {
    this.collectorsByName.set(collector.name, collector);
  }

  /** Calls `handle` for each event until the process ends its metrics. */
  onEvent<Event>(channel: EventChannel<Event>, handle: (event: Event) => void): void {
    this.subscriptions.push(channel.subscribe(handle));
  }

  get metrics(): readonly Metric[] {
    return [...this.byName.values()];
  }

  get collectors(): readonly Collector[] {
    return [...this.collectorsByName.values()];
  }

  /** Moves all slots on to the one of this time. To be called about once a second. */
  advanceTo(nowMs: number): void {
    const slots = slotOf(nowMs) - this.slot;
    if (slots <= 0) return;
    this.slot += slots;
    for (const metric of this.slotted) metric.advance(slots);
  }

  /** Ends all subscriptions. May be called twice. */
  close(): void {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }
}

function withDefaults<Label extends string>(options: NewFamily<Label>): FamilyOptions<Label> {
  return { labels: [], maxLabelSets: DEFAULT_MAX_LABEL_SETS, ...options };
}
