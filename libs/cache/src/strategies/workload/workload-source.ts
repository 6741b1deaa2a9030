import { Injectable } from '@nestjs/common';
import { Clock } from '#libs/core';
import { CacheLearning } from '../../learning/cache-learning.js';
import { Caches } from '../../managers/caches.js';
import { WorkloadTooSmallError } from '../errors/strategy.errors.js';
import type { WorkloadRequest } from '../model/strategy.schemas.js';
import { ENTRY_BYTES } from '../simulation/simulator.js';
import { type Workload, workloadOf } from './workload.js';

/** A workload with values as they are cached, for a look at their form. */
export interface SampledWorkload {
  readonly workload: Workload;
  readonly samples: readonly unknown[];
}

const MIN_READS = 100;
const MAX_SAMPLES = 16;

/** Gets workloads: from a trace that somebody sends, or from what was recorded of a namespace. */
@Injectable()
export class WorkloadSource {
  constructor(
    private readonly learning: CacheLearning,
    private readonly caches: Caches,
    private readonly clock: Clock,
  ) {}

  /** Throws `CACHE_WORKLOAD_TOO_SMALL`. */
  async read(request: WorkloadRequest): Promise<SampledWorkload> {
    if ('accesses' in request) {
      const { accesses, samples } = request;
      if (accesses.length < MIN_READS) {
        throw new WorkloadTooSmallError(accesses.length, MIN_READS, 'The trace');
      }
      return { workload: workloadOf(accesses), samples };
    }
    const { namespace, windowMs } = request;
    const cache = this.caches.find(namespace);
    const workload = this.recorded([namespace], windowMs);
    const { length } = workload.reads;
    if (length < MIN_READS || cache === undefined) {
      throw new WorkloadTooSmallError(length, MIN_READS, `The recording of "${namespace}"`);
    }
    return { workload, samples: await this.samples([namespace], workload) };
  }

  /**
   * Values of the keys that were read last, as far as the first level holds them. Their reads are
   * counted as any others.
   */
  async samples(namespaces: readonly string[], { keys, reads }: Workload): Promise<unknown[]> {
    const samples: unknown[] = [];
    const seen = new Set<number>();
    for (let at = reads.length - 1; at >= 0 && samples.length < MAX_SAMPLES; at -= 1) {
      const number = reads[at] as number;
      if (seen.has(number)) continue;
      seen.add(number);
      for (const namespace of namespaces) {
        const prefix = namespaces.length === 1 ? '' : `${namespace}:`;
        const name = keys[number] as string;
        const cache = this.caches.find(namespace);
        if (cache === undefined || !name.startsWith(prefix)) continue;
        const key = name.slice(prefix.length);
        const value = cache.isFresh(key) ? await cache.get(key) : undefined;
        if (value !== undefined) samples.push(value);
      }
    }
    return samples;
  }

  /** What was recorded of some namespaces of late, as one workload; their keys are told apart. */
  recorded(namespaces: readonly string[], windowMs: number): Workload {
    const sinceMs = this.clock.nowMs() - windowMs;
    return workloadOf(
      namespaces.flatMap((namespace) => {
        const recorded = this.learning.of(namespace)?.recorder.accesses(sinceMs) ?? [];
        const statistics = this.caches.find(namespace)?.statistics(0);
        const bytes =
          statistics === undefined || statistics.items === 0
            ? undefined
            : Math.max(0, Math.round(statistics.bytes / statistics.items) - ENTRY_BYTES);
        const prefix = namespaces.length === 1 ? '' : `${namespace}:`;
        return recorded.map(({ key, atMs }) => ({ key: prefix + key, atMs, bytes }));
      }),
    );
  }
}
