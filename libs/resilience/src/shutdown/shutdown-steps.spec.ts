import { describe, expect, it } from '@jest/globals';
import type { ShutdownFigures } from './shutdown-phases.js';
import { ShutdownSteps } from './shutdown-steps.js';

function collector(): {
  figures: Record<string, ShutdownFigures>;
  onEnd: Parameters<ShutdownSteps['run']>[1];
} {
  const figures: Record<string, ShutdownFigures> = {};
  return {
    figures,
    onEnd: (name, counts) => {
      figures[name] = counts;
    },
  };
}

describe('ShutdownSteps', () => {
  it('runs the steps of a phase and hands out what they tell', async () => {
    const steps = new ShutdownSteps();
    const ran: string[] = [];
    steps.add('work', 'jobs', () => Promise.resolve({ finished: 2 }));
    steps.add('work', 'timers', () => Promise.resolve(void ran.push('timers')));
    steps.add('flush', 'audit', () => Promise.resolve(void ran.push('audit')));
    const { figures, onEnd } = collector();

    await steps.run('work', onEnd);

    expect(figures).toEqual({ jobs: { finished: 2 } });
    expect(ran).toEqual(['timers']);
  });

  it('lets every step end before it tells that some failed', async () => {
    const steps = new ShutdownSteps();
    steps.add('flush', 'audit', () => Promise.reject(new Error('no database')));
    steps.add('flush', 'usage', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { written: 3 };
    });
    const { figures, onEnd } = collector();

    await expect(steps.run('flush', onEnd)).rejects.toThrow('audit did not end in order');
    expect(figures).toEqual({ usage: { written: 3 } });
  });

  it('has one step of a name, the last', async () => {
    const steps = new ShutdownSteps();
    steps.add('work', 'jobs', () => Promise.resolve({ finished: 1 }));
    steps.add('work', 'jobs', () => Promise.resolve({ finished: 2 }));
    const { figures, onEnd } = collector();
    await steps.run('work', onEnd);
    expect(figures).toEqual({ jobs: { finished: 2 } });
  });
});
