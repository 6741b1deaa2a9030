import type { Registry } from 'prom-client';
import type { Metric, Sample } from './families/metric.js';

/** A metric as prom-client takes it: an object that tells its values when it is asked. */
interface PromMetric {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: readonly object[];
  }>;
}

/** Writes the metrics of a registry in the text format of Prometheus, by prom-client. */
export class PrometheusExporter {
  /** Loaded at the first scrape: 30 ms that a start need not take. */
  private registry: Promise<Registry> | undefined;
  private readonly known = new Set<Metric>();

  constructor(
    private readonly metrics: () => readonly Metric[],
    /** One that takes longer is left out of this exposition. */
    private readonly timeoutMs: () => number,
  ) {}

  async expose(): Promise<{ readonly text: string; readonly contentType: string }> {
    this.registry ??= import('prom-client').then((library) => new library.default.Registry());
    const registry = await this.registry;
    for (const metric of this.metrics()) {
      if (this.known.has(metric)) continue;
      this.known.add(metric);
      // Its type asks for methods of prom-client's own metrics that a scrape does not use.
      registry.registerMetric(this.adapted(metric) as never);
    }
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  private adapted(metric: Metric): PromMetric {
    const { name, help, type } = metric;
    return {
      name,
      get: async () => ({ name, help, type, values: (await this.samplesOf(metric)).map(adapt) }),
    };
  }

  /** One metric that fails or hangs must not hide the others. */
  private async samplesOf(metric: Metric): Promise<readonly Sample[]> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const samples = metric.samples();
      if (!(samples instanceof Promise)) return samples;
      const tooLate = new Promise<readonly Sample[]>((resolve) => {
        timer = setTimeout(() => resolve([]), this.timeoutMs());
      });
      return await Promise.race([samples, tooLate]);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Labels that stay the same go where prom-client keeps them as text from scrape to scrape. */
function adapt({ name, labels, extra, value }: Sample): object {
  return {
    ...(name !== undefined && { metricName: name }),
    sharedLabels: labels,
    labels: extra ?? NO_LABELS,
    value,
  };
}

const NO_LABELS = {};
