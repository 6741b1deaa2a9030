import { describe, expect, it } from '@jest/globals';
import { collectAll, type Collector, FiguresUnavailableError } from './collectors.js';

function collector(name: string, collect: Collector['collect']): Collector {
  return { name, collect };
}

const TIMEOUT_MS = 50;

describe('collectAll', () => {
  it('runs collectors at the same time', async () => {
    let running = 0;
    let most = 0;
    const slow = (name: string): Collector =>
      collector(name, async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
        running -= 1;
        return { ok: true };
      });
    const { figures } = await collectAll(['a', 'b', 'c'].map(slow), 1_000);
    expect(Object.keys(figures)).toEqual(['a', 'b', 'c']);
    expect(most).toBe(3);
  });

  it('gives null and the reason for those that fail, throw at once or hang', async () => {
    const { figures, unavailable } = await collectAll(
      [
        collector('sound', () => ({ value: 1 })),
        collector('rejects', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7'))),
        collector('throws', () => {
          throw new Error('at once');
        }),
        collector('hangs', () => new Promise(() => undefined)),
        collector('elsewhere', () => {
          throw new FiguresUnavailableError('Only Linux tells it');
        }),
      ],
      TIMEOUT_MS,
    );
    expect(figures).toEqual({
      sound: { value: 1 },
      rejects: null,
      throws: null,
      hangs: null,
      elsewhere: null,
    });
    expect(unavailable).toEqual({
      rejects: 'The figures could not be read',
      throws: 'The figures could not be read',
      hangs: 'No answer in time',
      elsewhere: 'Only Linux tells it',
    });
  });

  it('is over after the time-out, however many hang', async () => {
    const stuck = Array.from({ length: 100 }, (_, at) =>
      collector(`c${at}`, () => new Promise(() => undefined)),
    );
    const startedAt = performance.now();
    await collectAll(stuck, TIMEOUT_MS);
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS * 10);
  });
});
