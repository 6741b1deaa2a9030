import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Backplane } from '../backplane/backplane.js';
import { CacheHub } from '../engine/cache-hub.js';
import type { CacheHubOptions } from '../engine/hub.options.js';

export interface BackplaneHarness {
  /** A backplane of one more node. */
  make(): Backplane;
  /** Levels and versions that the nodes share. */
  shared(): CacheHubOptions;
  /** Breaks the connections that listen, as a restart of the broker does. */
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

async function until(condition: () => boolean, what: string, timeoutMs = 5_000): Promise<number> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > timeoutMs)
      throw new Error(`in ${timeoutMs} ms not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - startedMs;
}

/** What every `Backplane` promises, by itself and with the coherence on top of it. */
export function backplaneContract(name: string, open: () => Promise<BackplaneHarness>): void {
  describe(`${name} as a backplane`, () => {
    let harness: BackplaneHarness;
    const closing: (() => Promise<void>)[] = [];
    beforeAll(async () => {
      harness = await open();
    });
    afterEach(async () => {
      await Promise.all(closing.splice(0).map((close) => close()));
    });
    afterAll(() => harness.close());

    async function node(
      id: string,
    ): Promise<{ backplane: Backplane; heard: string[]; states: boolean[] }> {
      const backplane = harness.make();
      closing.push(() => backplane.close());
      const heard: string[] = [];
      const states: boolean[] = [];
      await backplane.start(id, {
        onMessage: (text) => heard.push(text),
        onState: (isConnected) => states.push(isConnected),
      });
      return { backplane, heard, states };
    }

    async function hub(heartbeatMs = 100): Promise<CacheHub> {
      const made = new CacheHub({ ...harness.shared(), backplane: harness.make(), heartbeatMs });
      closing.push(() => made.close());
      await made.start();
      return made;
    }

    it('delivers to all, in order, and counts them', async () => {
      const nodes = [await node('a'), await node('b'), await node('c')];
      for (const { backplane } of nodes) await backplane.publish('hello');
      let count = 0;
      for (let index = 0; index < 50; index += 1) {
        count = await (nodes[0] as (typeof nodes)[0]).backplane.publish(`m${index}`);
      }
      expect(count).toBe(3);
      for (const { heard, states } of nodes) {
        await until(() => heard.at(-1) === 'm49', 'the last message');
        expect(heard.slice(-50)).toEqual(Array.from({ length: 50 }, (_, index) => `m${index}`));
        expect(states).toEqual([true]);
      }
    });

    it('replies to one node only, with any text up to the longest', async () => {
      const [a, b] = [await node('node-a'), await node('node-b')];
      const text = `"quoted" 'é' ${'x'.repeat(a.backplane.maxMessageBytes - 20)}`;
      await a.backplane.reply('node-b', text);
      await a.backplane.publish(text);
      await until(() => b.heard.length === 2 && a.heard.length === 1, 'both texts');
      expect(b.heard[0]).toBe(text);
    });

    it('hears again over a new connection', async () => {
      const { backplane, heard, states } = await node('a');
      backplane.reconnect();
      await until(() => states.length >= 3, 'connected again');
      expect(states).toEqual([true, false, true]);
      await backplane.publish('hello');
      await until(() => heard.includes('hello'), 'the message');
    });

    it('does not count who has left, and may be closed twice', async () => {
      const [a, b] = [await node('stays'), await node('leaves')];
      const last = b.backplane.publish('hello');
      await b.backplane.close();
      await b.backplane.close();
      await last;
      // A broker may need a moment to see the connection go.
      let count = 2;
      for (let tries = 0; tries < 100 && count > 1; tries += 1)
        count = await a.backplane.publish('again');
      expect(count).toBe(1);
    });

    it('makes another process see a write within 100 ms, and before it is acknowledged', async () => {
      const [a, b] = [await hub(), await hub()];
      const [onA, onB] = [a.cache<number>('seen'), b.cache<number>('seen')];
      const tookMs: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        await onB.getOrSet('k', () => round);
        const startedMs = performance.now();
        expect(await onA.set('k', round + 1)).toEqual({ acknowledged: true });
        expect(await onB.get('k')).toBe(round + 1);
        tookMs.push(performance.now() - startedMs);
      }
      // A busy machine may hold up one of them.
      expect(tookMs.sort((a, b) => a - b)[10]).toBeLessThan(100);
      await onB.set('t', 1, { tags: ['red'] });
      expect(await a.invalidateTags(['red'])).toEqual({ acknowledged: true });
      expect(await onB.get('t')).toBeUndefined();
    });

    it('carries hundreds of long keys at once', async () => {
      const [a, b] = [await hub(), await hub()];
      const keys = Array.from({ length: 300 }, (_, index) => `${'é'.repeat(100)}${index}`);
      const onB = b.cache<number>('many', { useTiers: false });
      await onB.getOrSetMany(keys, () => Promise.resolve(new Map(keys.map((key) => [key, 1]))));
      expect(await a.cache('many', { useTiers: false }).deleteMany(keys)).toEqual({
        acknowledged: true,
      });
      expect((await onB.getMany(keys)).size).toBe(0);
    });

    it('converges within 5 s after an outage, and trusts nothing of before', async () => {
      const [a, b] = [await hub(), await hub()];
      const [onA, onB] = [a.cache<number>('outage'), b.cache<number>('outage')];
      await onB.getOrSet('k', () => 1);
      await b.drain();
      expect(await onB.getEntry('k')).toMatchObject({ source: 'L1' });
      await harness.disconnect();
      await onA.delete('k');
      await until(() => a.isInSync && b.isInSync, 'in sync again');
      expect(await onB.getOrSet('k', () => 2)).toBe(2);
      await until(() => a.isInSync && b.isInSync, 'in sync again');
      await onB.getOrSet('after', () => 1);
      expect((await onA.set('after', 2)).acknowledged).toBe(true);
      expect(await onB.get('after')).toBe(2);
    });
  });
}
