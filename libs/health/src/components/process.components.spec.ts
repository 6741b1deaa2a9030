import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { memorySettings, MemoryWatch } from '#libs/resilience';
import { DiskComponent, EventLoopComponent, MemoryComponent } from './process.components.js';

const up = { healthy: true };
const down = (code: string): object => ({ healthy: false, code });

describe('DiskComponent', () => {
  it('is down when there is less room than there must be', async () => {
    let minFreeBytes = 1;
    const disk = new DiskComponent('.', () => minFreeBytes);
    expect(await disk.check()).toEqual(up);
    minFreeBytes = Number.MAX_SAFE_INTEGER;
    expect(await disk.check()).toEqual(down('DISK_SPACE_LOW'));
  });

  it('rejects when the folder is gone, which its monitor takes for down', async () => {
    await expect(new DiskComponent('/no/such/folder', () => 1).check()).rejects.toThrow('ENOENT');
  });
});

describe('MemoryComponent', () => {
  it('is down when the process takes more of the nearest limit than it may', async () => {
    const store = new SettingsStore([memorySettings]);
    const log = new RootLogger({ service: 'test', destination: new MemoryLogDestination() });
    const watch = new MemoryWatch(store, new SystemClock(), log);
    const memory = new MemoryComponent(watch, () => 1);
    expect(await memory.check()).toEqual(up);
    await watch.check();
    expect(await memory.check()).toEqual(up);
    store.overrideAll({ 'memory.limitBytes': 64 * 1024 * 1024 });
    await watch.check();
    expect(await memory.check()).toEqual(down('MEMORY_NEAR_LIMIT'));
  });
});

describe('EventLoopComponent', () => {
  let loop: EventLoopComponent;

  afterEach(() => loop.close());

  it('is down after the event loop stood still, and up again when it turns', async () => {
    let maxDelayMs = 10_000;
    loop = new EventLoopComponent(() => maxDelayMs);
    await sleep(50);
    await loop.check();
    // Blocks right after a check, when a single histogram would look away.
    for (const end = performance.now() + 300; performance.now() < end;) Math.sqrt(Math.random());
    await sleep(30);
    maxDelayMs = 100;
    expect(await loop.check()).toEqual(down('EVENT_LOOP_DELAYED'));
    maxDelayMs = 10_000;
    expect(await loop.check()).toEqual(up);
  });
});
