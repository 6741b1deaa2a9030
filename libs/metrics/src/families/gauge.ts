import type { Metric, MetricType, Sample } from './metric.js';

/** A number, or several under labels; nothing when it is not known. */
export type GaugeReading =
  | number
  | undefined
  | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];

/** Numbers that are read when they are asked for. */
export class Gauge implements Metric {
  constructor(
    readonly name: string,
    readonly help: string,
    private readonly read: () => GaugeReading | Promise<GaugeReading>,
    /** `counter` for a total that somebody else counts. */
    readonly type: MetricType = 'gauge',
  ) {}

  async samples(): Promise<readonly Sample[]> {
    const reading = await this.read();
    if (reading === undefined) return [];
    return typeof reading === 'number' ? [{ labels: {}, value: reading }] : reading;
  }
}
