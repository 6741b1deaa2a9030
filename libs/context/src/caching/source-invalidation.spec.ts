import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { contextWarnings, type ContextWarning, sourceChanged } from '../events.js';
import type { SourceRow } from '../store/source.queries.js';
import type { SourceCache } from './source-cache.js';
import { SourceInvalidation } from './source-invalidation.js';

interface Call {
  readonly tags: readonly string[];
  end(outcome?: boolean | Error): void;
}

function setUp() {
  const calls: Call[] = [];
  const forgotten: string[] = [];
  const clock = new ManualClock();
  const sources: Pick<SourceCache, 'forget'> = {
    forget: (rows) => {
      forgotten.push(...rows.map(({ name }) => name));
      return Promise.resolve({ acknowledged: true });
    },
  };
  const invalidation = new SourceInvalidation(
    {
      invalidateTags: (tags) =>
        new Promise((resolve, reject) => {
          calls.push({
            tags,
            end: (outcome = true) =>
              typeof outcome === 'boolean' ? resolve({ acknowledged: outcome }) : reject(outcome),
          });
        }),
    },
    sources as SourceCache,
    clock,
  );
  return { invalidation, calls, forgotten, clock };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, tick().then(() => pending)])) === pending;
}

async function warningsOf(work: () => Promise<void>): Promise<ContextWarning[]> {
  const warnings: ContextWarning[] = [];
  const stop = contextWarnings.subscribe((warning) => warnings.push(warning));
  await work();
  stop();
  return warnings;
}

describe('SourceInvalidation', () => {
  it('resolves when the processes have confirmed, not before', async () => {
    const { invalidation, calls } = setUp();
    const told = invalidation.entries(['a']);
    expect(await isPending(told)).toBe(true);
    expect(calls.map(({ tags }) => tags)).toEqual([['source:a']]);
    calls[0]?.end();
    await told;
  });

  it('tells the changes of a burst together, and none with an invalidation that began before it', async () => {
    const { invalidation, calls } = setUp();
    const first = invalidation.entries(['a']);
    await tick();
    const later = ['b', 'a', 'c', 'a'].map((id) => invalidation.entries([id]));
    await tick();
    expect(calls).toHaveLength(1);
    calls[0]?.end();
    await first;
    await tick();
    expect(calls.map(({ tags }) => tags)).toEqual([
      ['source:a'],
      ['source:b', 'source:a', 'source:c'],
    ]);
    expect(await isPending(Promise.race(later))).toBe(true);
    calls[1]?.end();
    await Promise.all(later);
  });

  it('forgets both names of a source that was renamed, and what was read from it', async () => {
    const { invalidation, calls, forgotten } = setUp();
    const told = invalidation.configured({ id: 'a', name: 'new' } as SourceRow, 'old');
    await tick();
    calls[0]?.end();
    await told;
    const tags = ['source:a', 'source-name:new', 'source-name:old'];
    expect([forgotten, calls[0]?.tags]).toEqual([['new', 'old'], tags]);
  });

  it('never fails a write, and warns now and then while others do not confirm', async () => {
    const { invalidation, calls, clock } = setUp();
    const warnings = await warningsOf(async () => {
      for (const outcome of [false, new Error('no version store'), false]) {
        const told = invalidation.entries(['a']);
        await tick();
        calls.at(-1)?.end(outcome);
        await told;
      }
      clock.advance(10_000);
      const told = invalidation.entries(['a']);
      await tick();
      calls.at(-1)?.end(false);
      await told;
    });
    expect(warnings.map(({ code, message }) => [code, /3 were/.test(message)])).toEqual([
      ['CONTEXT_INVALIDATION_UNCONFIRMED', false],
      ['CONTEXT_INVALIDATION_UNCONFIRMED', true],
    ]);
  });

  it('tells parts of a long write soon, and what is left at the end', async () => {
    const { invalidation, calls } = setUp();
    const events: string[] = [];
    const stop = sourceChanged.subscribe(({ sourceId }) => events.push(sourceId));
    for (let part = 0; part < 5; part += 1) invalidation.entriesSoon('a');
    const closing = invalidation.close();
    await tick();
    calls[0]?.end();
    await closing;
    stop();
    expect(calls).toHaveLength(1);
    expect(events).toEqual(['a']);
    await invalidation.close();
  });
});
