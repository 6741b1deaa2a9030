import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a cgroup may use and uses; of the file cache only what is in active use. */
export interface CgroupMemory {
  readonly limitBytes: number;
  readonly usedBytes: number;
}

interface CgroupFiles {
  readonly limits: readonly string[];
  readonly usage: string;
  /** In `memory.stat`: what the kernel takes back before it refuses anything. */
  readonly reclaimable: string;
}

const V1: CgroupFiles = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  reclaimable: 'total_inactive_file',
};
const V2: CgroupFiles = {
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  reclaimable: 'inactive_file',
};

/** Where the kernel tells it; other places in tests. */
export interface CgroupPlaces {
  readonly membership: string;
  readonly mount: string;
}

const PLACES: CgroupPlaces = { membership: '/proc/self/cgroup', mount: '/sys/fs/cgroup' };

/**
 * The cgroups that bound this process: its own and those around it, as each of them counts. Inside
 * a container the path of the process may not exist below the mount, while the mount itself is the
 * cgroup of the container; so every folder on the way counts that is there.
 */
export class CgroupReader {
  private constructor(private readonly groups: readonly (readonly [string, CgroupFiles])[]) {}

  /** The groups with a limit below `lessThanBytes`; none elsewhere than on Linux. */
  static async find(lessThanBytes: number, places: CgroupPlaces = PLACES): Promise<CgroupReader> {
    const groups: [string, CgroupFiles][] = [];
    for (const [folder, files] of candidates(await textOf(places.membership), places.mount)) {
      const limit = await limitOf(folder, files);
      if (limit < lessThanBytes) groups.push([folder, files]);
    }
    return new CgroupReader(groups);
  }

  get isLimited(): boolean {
    return this.groups.length > 0;
  }

  /** Of each limited group; the limits are read anew, since they can change. */
  async read(): Promise<CgroupMemory[]> {
    const all = await Promise.all(this.groups.map(([folder, files]) => memoryOf(folder, files)));
    return all.filter(({ limitBytes }) => Number.isFinite(limitBytes));
  }
}

function candidates(membership: string, mount: string): [string, CgroupFiles][] {
  return membership.split('\n').flatMap((line): [string, CgroupFiles][] => {
    const [, controllers, ...rest] = line.split(':');
    const path = rest.join(':');
    if (controllers === '') {
      return foldersUpTo(mount, path).map((folder) => [folder, V2]);
    }
    return controllers?.split(',').includes('memory') === true
      ? foldersUpTo(join(mount, 'memory'), path).map((folder) => [folder, V1])
      : [];
  });
}

/** The folder of `path` below `root`, those around it, and `root`. */
function foldersUpTo(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, depth) =>
    join(root, ...names.slice(0, names.length - depth)),
  );
}

async function limitOf(folder: string, { limits }: CgroupFiles): Promise<number> {
  const texts = await Promise.all(limits.map((name) => textOf(join(folder, name))));
  return Math.min(...texts.map((text) => numberOf(text) ?? Number.POSITIVE_INFINITY));
}

async function memoryOf(folder: string, files: CgroupFiles): Promise<CgroupMemory> {
  const [limitBytes, usage, statistics] = await Promise.all([
    limitOf(folder, files),
    textOf(join(folder, files.usage)),
    textOf(join(folder, 'memory.stat')),
  ]);
  const reclaimable = new RegExp(`^${files.reclaimable} (\\d+)`, 'm').exec(statistics)?.[1];
  const usedBytes = (numberOf(usage) ?? 0) - (numberOf(reclaimable ?? '') ?? 0);
  return { limitBytes, usedBytes: Math.max(0, usedBytes) };
}

/** `max` is no number; what is not there neither. */
function numberOf(text: string): number | undefined {
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
