import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '#libs/cache';
import type { Node } from './connect-node.js';

const KEYS = 6;
const LOOPS = 6;

/** What a node saw. */
export interface InterleavingReport {
  reads: number;
  stale: string[];
  acknowledged: number;
  unacknowledged: number;
  hits: number;
  discarded: number;
}

/**
 * Reads and invalidates at random, as fast as it goes, together with the other nodes. The truth is a
 * counter a key. Who has raised it and has got an invalidation acknowledged publishes the new value
 * as the floor of the key; a read that begins afterwards must not return less.
 */
export async function runInterleavings(
  node: Node,
  self: number,
  plan: { readonly reads: number; readonly seed: number; readonly nodes: number },
): Promise<InterleavingReport> {
  const { hub, redis, prefix } = node;
  const cache = hub.cache<number>('race', { ttlMs: 60_000, maxItems: 4, staleMs: 30_000 });
  const written = hub.cache<number>('written', { ttlMs: 60_000, maxItems: 4 });
  const report: InterleavingReport = {
    reads: 0,
    stale: [],
    acknowledged: 0,
    unacknowledged: 0,
    hits: 0,
    discarded: 0,
  };
  const floors = new Map<string, number>();
  const names = Array.from({ length: plan.nodes }, (_, index) => index);
  let state = plan.seed + self * 7_919;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };

  const floorOf = async (key: string): Promise<number> =>
    Math.max(
      0,
      ...(await redis.mget(names.map((name) => `${prefix}floor:${key}:${name}`))).map(Number),
    );
  const raiseFloor = async (key: string, value: number, isAcknowledged: boolean): Promise<void> => {
    if (!isAcknowledged) {
      report.unacknowledged += 1;
      return;
    }
    report.acknowledged += 1;
    const floor = Math.max(value, floors.get(key) ?? 0);
    floors.set(key, floor);
    await redis.set(`${prefix}floor:${key}:${self}`, floor);
  };
  const check = (key: string, value: number | undefined, floor: number, how: string): void => {
    report.reads += 1;
    if (value !== undefined && value < floor) {
      report.stale.push(
        `${how} of ${key} in node ${self}: ${value} after ${floor} was acknowledged`,
      );
    }
  };
  const load = async (key: string): Promise<number> => {
    if (random(3) === 0) await sleep(random(3));
    const value = Number(await redis.get(`${prefix}truth:${key}`));
    // The value gets old on its way, longer than an invalidation takes.
    if (random(2) === 0) await sleep(random(16));
    return value;
  };
  const tagsOf = (key: string): string[] => [`tag-${key}`, 'shared'];

  const read = async (): Promise<void> => {
    const key = `k${random(KEYS)}`;
    const floor = await floorOf(key);
    const kind = random(5);
    if (kind === 0) return check(key, await cache.get(key), floor, 'get');
    if (kind === 1) {
      const found = await cache.getOrSetMany(
        [key],
        async (missing) => new Map([[key, await load(missing[0] ?? key)]]),
        { tags: tagsOf(key) },
      );
      return check(key, found.get(key), floor, 'getOrSetMany');
    }
    // Tags before the load, or from the value alone.
    const tags = kind === 2 ? (): string[] => tagsOf(key) : tagsOf(key);
    const value = await cache.getOrSet(key, () => load(key), { tags });
    return check(key, value, floor, kind === 2 ? 'getOrSet with late tags' : 'getOrSet');
  };

  const invalidate = async (): Promise<void> => {
    const kind = random(20);
    if (kind === 0) {
      const keys = Array.from({ length: KEYS }, (_, index) => `k${index}`);
      const values = await Promise.all(keys.map((key) => redis.incr(`${prefix}truth:${key}`)));
      const clear = [() => hub.invalidateTags(['shared']), () => cache.clear(), () => hub.clear()];
      const { acknowledged } = await (
        clear[random(3)] as () => Promise<{ acknowledged: boolean }>
      )();
      await Promise.all(keys.map((key, at) => raiseFloor(key, values[at] as number, acknowledged)));
      return;
    }
    const key = `k${random(KEYS)}`;
    const value = await redis.incr(`${prefix}truth:${key}`);
    const receipt = kind < 10 ? await cache.delete(key) : await hub.invalidateTags([`tag-${key}`]);
    await raiseFloor(key, value, receipt.acknowledged);
  };

  const loop = async (): Promise<void> => {
    while (report.reads < plan.reads) await (random(5) === 0 ? invalidate() : read());
  };
  /** Keys that only this node writes, one write after the other; the others read them. */
  const writeLoop = async (own: Cache<number>): Promise<void> => {
    for (let value = 1; report.reads < plan.reads; value += 1) {
      const { acknowledged } = await own.set(`w${self}`, value);
      await raiseFloor(`w${self}`, value, acknowledged);
      const key = `w${random(plan.nodes)}`;
      const floor = await floorOf(key);
      check(key, await own.get(key), floor, 'get of a written key');
      await sleep(random(10));
    }
  };
  await Promise.all([writeLoop(written), ...Array.from({ length: LOOPS }, loop)]);
  const { l1Hits, discarded } = cache.statistics();
  return { ...report, hits: l1Hits, discarded };
}
