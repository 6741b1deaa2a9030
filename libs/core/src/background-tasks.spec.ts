import { describe, expect, it } from '@jest/globals';
import { BackgroundTasks } from './background-tasks.js';

describe('BackgroundTasks', () => {
  it('drains what runs and what that starts in turn', async () => {
    const done: string[] = [];
    const tasks = new BackgroundTasks(() => undefined);
    tasks.run(async () => {
      await Promise.resolve();
      tasks.run(async () => {
        await Promise.resolve();
        done.push('second');
      });
      done.push('first');
    });
    await tasks.drain();
    expect(done).toEqual(['first', 'second']);
    expect(tasks.size).toBe(0);
  });

  it('hands a failure to its listener and still drains', async () => {
    const failures: unknown[] = [];
    const tasks = new BackgroundTasks((error) => failures.push(error));
    tasks.run(() => Promise.reject(new Error('no')));
    await tasks.drain();
    expect(failures).toEqual([new Error('no')]);
  });
});
