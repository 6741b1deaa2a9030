import { describe, expect, it } from '@jest/globals';
import { BoundedQueue, type QueueLimits } from './bounded-queue.js';

const full = new Error('full');

/** Tasks that end when the test says so. */
class Tasks {
  readonly started: number[] = [];
  private readonly enders: (() => void)[] = [];

  task(id: number): () => Promise<number> {
    return () => {
      this.started.push(id);
      return new Promise((resolve) => {
        this.enders[id] = () => resolve(id);
      });
    };
  }

  end(id: number): void {
    this.enders[id]?.();
  }
}

describe('BoundedQueue', () => {
  function makeQueue(limits: QueueLimits) {
    return {
      queue: new BoundedQueue(
        () => limits,
        () => full,
      ),
      tasks: new Tasks(),
    };
  }

  it('runs as many at once as it may, and the others in order of arrival', async () => {
    const { queue, tasks } = makeQueue({ concurrency: 2, queueLimit: 10 });
    const results = [0, 1, 2, 3].map((id) => queue.run(tasks.task(id)));
    expect(tasks.started).toEqual([0, 1]);
    tasks.end(1);
    await results[1];
    expect(tasks.started).toEqual([0, 1, 2]);
    tasks.end(0);
    await results[0];
    expect(tasks.started).toEqual([0, 1, 2, 3]);
    tasks.end(2);
    tasks.end(3);
    await expect(Promise.all(results)).resolves.toEqual([0, 1, 2, 3]);
  });

  it('turns away what finds the queue full, without running it', async () => {
    const { queue, tasks } = makeQueue({ concurrency: 1, queueLimit: 1 });
    const running = queue.run(tasks.task(0));
    const waiting = queue.run(tasks.task(1));
    await expect(queue.run(tasks.task(2))).rejects.toBe(full);
    expect(tasks.started).toEqual([0]);
    tasks.end(0);
    await running;
    tasks.end(1);
    await waiting;
    const later = queue.run(tasks.task(3));
    tasks.end(3);
    await expect(later).resolves.toBe(3);
  });

  it('goes on after a task that failed', async () => {
    const { queue } = makeQueue({ concurrency: 1, queueLimit: 1 });
    const failing = queue.run(() => Promise.reject(new Error('broken')));
    const next = queue.run(() => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('done');
  });

  it('runs fewer at once when its limit is lowered', async () => {
    const limits = { concurrency: 2, queueLimit: 10 };
    const { queue, tasks } = makeQueue(limits);
    const results = [0, 1, 2, 3].map((id) => queue.run(tasks.task(id)));
    limits.concurrency = 1;
    tasks.end(0);
    await results[0];
    expect(tasks.started).toEqual([0, 1]);
    tasks.end(1);
    await results[1];
    expect(tasks.started).toEqual([0, 1, 2]);
    tasks.end(2);
    await results[2];
    tasks.end(3);
    await results[3];
  });
});
