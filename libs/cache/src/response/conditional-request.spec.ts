import { afterEach, describe, expect, it } from '@jest/globals';
import { closeApps, handler, start } from './testing/counted-app.js';

afterEach(closeApps);

describe('a GET handler with @Cacheable', () => {
  it('says 304 without a body to who has it already', async () => {
    const app = await start();
    const { headers } = await app.get('/v1/things/counted');
    const etag = String(headers.etag);
    for (const value of [etag, `W/${etag}`, `"other", W/${etag}`, '*']) {
      const again = await app.get('/v1/things/counted', { 'if-none-match': value });
      expect(again).toMatchObject({ status: 304, text: '' });
      expect(again.headers).toMatchObject({ etag, 'x-cache': 'L1' });
      expect(again.headers['content-length']).toBeUndefined();
      expect(again.headers['content-type']).toBeUndefined();
    }
    expect((await app.get('/v1/things/counted', { 'if-none-match': '"other"' })).status).toBe(200);
    const modified = String(headers['last-modified']);
    const since = { 'if-modified-since': modified };
    expect((await app.get('/v1/things/counted', since)).status).toBe(304);
    const both = { ...since, 'if-none-match': '"other"' };
    expect((await app.get('/v1/things/counted', both)).status).toBe(200);
    const before = { 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' };
    expect((await app.get('/v1/things/counted', before)).status).toBe(200);
    expect((await app.get('/v1/things/counted', { 'if-modified-since': 'soon' })).status).toBe(200);
    expect(handler.runs).toBe(1);
  });

  it('never takes two versions of one second for the same', async () => {
    const app = await start();
    const { headers } = await app.get('/v1/things/counted');
    await app.hub.clear();
    const since = { 'if-modified-since': String(headers['last-modified']) };
    const second = await app.get('/v1/things/counted', since);
    expect(second.status).toBe(200);
    expect(second.headers['last-modified']).toBeUndefined();
    expect((await app.get('/v1/things/counted', since)).status).toBe(200);
  });
});
