import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob } from './job-definition.js';

const schema = z.strictObject({});

describe('defineJob', () => {
  it('fills in what is not said, and shares the default queue', () => {
    expect(defineJob({ name: 'tidy-up', schema })).toEqual({
      name: 'tidy-up',
      schema,
      queue: 'default',
      attempts: 3,
      backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
      timeoutMs: undefined,
      concurrency: undefined,
      keepCompleted: { count: 1_000, ageSeconds: 86_400 },
      keepFailed: { count: 1_000, ageSeconds: 604_800 },
    });
  });

  it('gives a job with a concurrency of its own a queue of its own', () => {
    expect(defineJob({ name: 'tidy-up', schema, concurrency: 1 }).queue).toBe('tidy-up');
    expect(defineJob({ name: 'tidy-up', schema, concurrency: 1, queue: 'slow' }).queue).toBe(
      'slow',
    );
  });

  it.each([
    ['a name with capitals', { name: 'TidyUp' }, 'name'],
    ['a queue with a colon', { name: 'a', queue: 'x:y' }, 'queue'],
    ['no attempts', { name: 'a', attempts: 0 }, 'attempts'],
    ['half a run at once', { name: 'a', concurrency: 0.5 }, 'concurrency'],
    ['no time to run', { name: 'a', timeoutMs: 0 }, 'timeoutMs'],
  ])('refuses %s, naming it', (_, options, named) => {
    expect(() => defineJob({ schema, ...options })).toThrow(named);
  });
});
