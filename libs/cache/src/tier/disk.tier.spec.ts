import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { EntryCodec } from '../entry/entry-codec.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { cacheTierContract } from '../testing/cache-tier.contract.js';
import { DiskStore, MARK } from './disk.store.js';
import { DiskTier } from './disk.tier.js';

const key = Buffer.alloc(32, 7);

function tierIn(directory: string, clock: ManualClock, maxBytes = 10_000_000): DiskTier {
  const store = new DiskStore({ directory, maxBytes, clock });
  const codec = new EntryCodec({ encryptionKeys: [{ id: 'one', key }] });
  return new DiskTier({ store, codec, clock });
}

cacheTierContract('DiskTier', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pantheon-disk-tier-'));
  const clock = new ManualClock();
  return {
    tier: tierIn(directory, clock),
    other: tierIn(directory, clock),
    nowMs: () => clock.nowMs(),
    pass: (ms: number) => Promise.resolve(clock.advance(ms)),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('DiskTier', () => {
  let directory: string;
  let clock: ManualClock;
  let tier: DiskTier;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pantheon-disk-tier-'));
    clock = new ManualClock();
    tier = tierIn(directory, clock);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const write = (name: string, value: unknown, lifeMs = 60_000, fence?: string) =>
    tier.set({
      key: name,
      ...(fence === undefined ? {} : { fence }),
      entry: {
        value,
        createdMs: clock.nowMs(),
        expiresMs: clock.nowMs() + lifeMs,
        staleUntilMs: clock.nowMs() + lifeMs,
        loadMs: 1,
        tags: [],
        versions: [],
      },
    });

  it('works again once its directory can be read', async () => {
    await writeFile(join(directory, '00'), 'not a folder');
    await expect(write('a', 1)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await rm(join(directory, '00'));
    expect(await write('a', 1)).toBe(true);
    expect((await tier.get('a')).entry?.value).toBe(1);
  });

  it('does not read what a slow writer of another process stores after a deletion', async () => {
    const { fence } = await tier.get('a');
    const other = tierIn(directory, clock);
    const { store } = tier as unknown as { store: DiskStore };
    const replace = store.write.bind(store);
    let seen: unknown = 'not read';
    store.write = async (name, content, expiresMs) => {
      // The writer has compared the fence, and is interrupted before it stores.
      await other.delete('a');
      await replace(name, content, expiresMs);
      seen = (await other.get('a')).entry;
    };
    expect(await write('a', 'outdated', 60_000, fence)).toBe(false);
    expect(seen).toBeUndefined();
    expect((await other.get('a')).entry).toBeUndefined();
  });

  async function files(): Promise<string[]> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith(MARK))
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  it('is there after a restart, and unreadable on the disk', async () => {
    await write('a', 'a secret that nobody should see');
    expect((await tierIn(directory, clock).get('a')).entry?.value).toBe(
      'a secret that nobody should see',
    );
    const [file] = await files();
    expect((await readFile(file as string)).includes('secret')).toBe(false);
  });

  it('misses what was damaged, and says so', async () => {
    await write('a', 1);
    const [file] = (await files()) as [string];
    const bytes = await readFile(file);
    const faults: string[] = [];
    const end = cacheFault.subscribe(({ operation }) => faults.push(operation));
    for (const damaged of [
      Buffer.concat([bytes.subarray(0, -1), Buffer.of(0)]),
      bytes.subarray(0, 30),
      bytes.subarray(0, 5),
      Buffer.alloc(0),
    ]) {
      await writeFile(file, damaged);
      expect((await tier.get('a')).entry).toBeUndefined();
    }
    end();
    expect(faults).toContain('decode');
    expect(await write('a', 2)).toBe(true);
    expect((await tier.get('a')).entry?.value).toBe(2);
  });

  it('stays within its bytes, and keeps what was written last', async () => {
    tier = tierIn(directory, clock, 100_000);
    for (let each = 0; each < 300; each += 1) await write(`key:${each}`, 'x'.repeat(900));
    const { bytes = 0, maxBytes } = await tier.usage();
    expect(maxBytes).toBe(100_000);
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect((await files()).length).toBeGreaterThan(30);
    const total = await Promise.all(
      (await files()).map(async (file) => (await readFile(file)).length),
    );
    expect(total.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes);
  });

  it('sweeps what has ended', async () => {
    await write('short', 1, 1_000);
    await write('long', 1, 3_600_000);
    clock.advance(400_000);
    expect(await tier.sweep()).toBe(1);
    expect(await tier.usage()).toMatchObject({ items: 1 });
    expect(tier.swept).toBe(1);
  });
});
