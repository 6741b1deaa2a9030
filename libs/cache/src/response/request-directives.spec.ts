import { afterEach, describe, expect, it } from '@jest/globals';
import { closeApps, handler, start } from './testing/counted-app.js';

afterEach(closeApps);

describe('what a request says about caches', () => {
  it.each(['no-cache', 'max-age=0', 'Max-Age=0, private'])(
    'is heard: %s loads anew',
    async (value) => {
      const app = await start();
      await app.get('/v1/things/counted');
      const anew = await app.get('/v1/things/counted', { 'cache-control': value });
      expect(anew.headers['x-cache']).toBe('MISS');
      expect(handler.runs).toBe(2);
      const next = await app.get('/v1/things/counted');
      expect(next.text).toBe(anew.text);
      expect(next.headers['x-cache']).toBe('L1');
    },
  );

  it('is heard: Pragma counts where there is no Cache-Control', async () => {
    const app = await start();
    await app.get('/v1/things/counted');
    await app.get('/v1/things/counted', { pragma: 'no-cache' });
    expect(handler.runs).toBe(2);
    await app.get('/v1/things/counted', { pragma: 'no-cache', 'cache-control': 'max-age=60' });
    expect(handler.runs).toBe(2);
  });

  it('is heard: no-store uses nothing and leaves nothing', async () => {
    const app = await start();
    const headers = { 'cache-control': 'no-store' };
    const first = await app.get('/v1/things/counted', headers);
    expect(first.headers['x-cache']).toBe('MISS');
    await app.get('/v1/things/counted');
    expect(handler.runs).toBe(2);
    await app.get('/v1/things/counted', headers);
    expect(handler.runs).toBe(3);
    expect((await app.get('/v1/things/counted')).text).toContain('"runs":2');
  });

  it('is heard: only-if-cached loads nothing', async () => {
    const app = await start();
    const headers = { 'cache-control': 'only-if-cached' };
    expect((await app.get('/v1/things/counted', headers)).status).toBe(500);
    expect(handler.runs).toBe(0);
    await app.get('/v1/things/counted');
    expect(await app.get('/v1/things/counted', headers)).toMatchObject({ status: 200 });
  });

  it('is heard: max-age refuses what is older', async () => {
    const app = await start();
    await app.get('/v1/things/counted');
    app.clock.advance(5_000);
    await app.get('/v1/things/counted', { 'cache-control': 'max-age=5' });
    expect(handler.runs).toBe(1);
    await app.get('/v1/things/counted', { 'cache-control': 'max-age=4' });
    expect(handler.runs).toBe(2);
  });
});
