import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WriteBehind } from './write-behind.js';

describe('WriteBehind', () => {
  let gathered: number[];
  let written: number[][];
  let failures: unknown[];
  let hold: Promise<void> | undefined;
  let failure: Error | undefined;
  let behind: WriteBehind;

  beforeEach(() => {
    jest.useFakeTimers();
    gathered = [];
    written = [];
    failures = [];
    hold = undefined;
    failure = undefined;
    behind = new WriteBehind({
      delayMs: () => 100,
      isDue: () => gathered.length > 0,
      write: async () => {
        const batch = gathered;
        gathered = [];
        await hold;
        if (failure !== undefined) throw failure;
        written.push(batch);
      },
      onError: (error) => failures.push(error),
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const come = (value: number) => {
    gathered.push(value);
    behind.schedule();
  };

  it('writes what has gathered some time after the first of it', async () => {
    come(1);
    await jest.advanceTimersByTimeAsync(60);
    come(2);
    expect(written).toEqual([]);
    await jest.advanceTimersByTimeAsync(40);
    expect(written).toEqual([[1, 2]]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(written).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('writes once at a time', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    come(1);
    behind.start();
    come(2);
    behind.start();
    await jest.advanceTimersByTimeAsync(500);
    expect(gathered).toEqual([2]);
    release();
    await jest.advanceTimersByTimeAsync(100);
    expect(written).toEqual([[1], [2]]);
  });

  it('waits for what has gathered, and leaves nothing behind', async () => {
    come(1);
    behind.start();
    come(2);
    await behind.close();
    await behind.close();
    expect(written).toEqual([[1], [2]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells of a failure and goes on', async () => {
    failure = new Error('no');
    come(1);
    await behind.flush();
    expect(failures).toEqual([failure]);
    failure = undefined;
    come(2);
    await behind.flush();
    expect(written).toEqual([[2]]);
  });
});
