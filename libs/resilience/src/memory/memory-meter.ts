import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { CgroupReader } from './cgroup-memory.js';
import type { MemoryBoundSource } from './memory-pressure.js';

/** A limit of memory, and what counts against it. */
export interface MemoryBound {
  readonly source: MemoryBoundSource;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Where the figures come from; tests bring their own. */
export interface MemorySources {
  rssBytes(): number;
  heap(): { readonly usedBytes: number; readonly limitBytes: number };
  readonly totalBytes: number;
  cgroups(): Promise<CgroupReader>;
}

export const PROCESS_MEMORY: MemorySources = {
  // Cheaper than all of `memoryUsage()`, which asks V8 for the spaces of its heap.
  rssBytes: () => process.memoryUsage.rss(),
  heap() {
    const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
    return { usedBytes, limitBytes };
  },
  totalBytes: totalmem(),
  cgroups: () => CgroupReader.find(totalmem()),
};

/**
 * Reads every bound of the memory of the process. Against the setting and the machine its resident
 * memory counts; against a cgroup what all its processes use, since that is what the kernel judges;
 * against the heap what V8 uses of it, garbage included.
 */
export class MemoryMeter {
  private cgroups: CgroupReader | undefined;

  constructor(private readonly sources: MemorySources) {}

  heap(): MemoryBound {
    return { source: 'heap', ...this.sources.heap() };
  }

  /** All but the heap. */
  async bounds(settingBytes: number | undefined): Promise<MemoryBound[]> {
    this.cgroups ??= await this.sources.cgroups();
    const usedBytes = this.sources.rssBytes();
    const bounds: MemoryBound[] = [
      { source: 'machine', usedBytes, limitBytes: this.sources.totalBytes },
    ];
    if (settingBytes !== undefined) {
      bounds.push({ source: 'setting', usedBytes, limitBytes: settingBytes });
    }
    if (this.cgroups.isLimited) {
      for (const group of await this.cgroups.read()) bounds.push({ source: 'cgroup', ...group });
    }
    return bounds;
  }
}

/** How much of it is used, 0 to 1 and beyond. */
export function ratioOf({ usedBytes, limitBytes }: MemoryBound): number {
  return limitBytes === 0 ? 1 : usedBytes / limitBytes;
}

/** The bound that is nearest to being reached. */
export function nearest(bounds: readonly [MemoryBound, ...MemoryBound[]]): MemoryBound {
  return bounds.reduce((worst, one) => (ratioOf(one) > ratioOf(worst) ? one : worst));
}
