import { afterEach, describe, expect, it } from '@jest/globals';
import { closeApps, start } from './testing/counted-app.js';

afterEach(closeApps);

describe('a route with a cache', () => {
  it('keeps the name of its handler, which later hooks go by', async () => {
    const names: string[] = [];
    await start(undefined, {
      prepare: (app) => {
        const fastify = app.getHttpAdapter().getInstance();
        fastify.addHook('onRoute', ({ method, handler }) => {
          names.push(`${[method].flat().join()} ${handler.name}`);
        });
      },
    });
    expect(names).toEqual(['GET CountedController.counted', 'HEAD CountedController.counted']);
  });
});
