import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { articles, ArticlesController } from './testing/articles.controller.js';
import { type ResponseApp, startResponseApp } from './testing/response-app.js';

const PAGE = fileURLToPath(new URL('../../../../docs/caching/http.md', import.meta.url));
const SOURCE = fileURLToPath(new URL('testing/articles.controller.ts', import.meta.url));

describe('the example of docs/caching/http.md', () => {
  let app: ResponseApp;

  beforeAll(async () => {
    app = await startResponseApp({ controllers: [ArticlesController] });
    articles.set('7', { id: '7', author: 'ann' }).set('8', { id: '8', author: 'bob' });
  });
  afterAll(() => app.close());

  it('is the code that runs here', async () => {
    const page = await readFile(PAGE, 'utf8');
    const source = await readFile(SOURCE, 'utf8');
    const example = /\/\/ #region example\n([^]*?)\/\/ #endregion/.exec(source)?.[1];
    expect(example).toBeDefined();
    expect(page).toContain(`\`\`\`ts\n${example}\`\`\``);
  });

  it('answers with the headers that the page shows', async () => {
    const page = await readFile(PAGE, 'utf8');
    await app.get('/v1/articles/7');
    const { status, headers } = await app.get('/v1/articles/7');
    const shown = /```http\n([^]*?)```/.exec(page)?.[1]?.trim().split('\n') ?? [];
    expect(shown[0]).toBe(`HTTP/1.1 ${status} OK`);
    for (const line of shown.slice(1)) {
      const at = line.indexOf(': ');
      const name = line.slice(0, at).toLowerCase();
      const value = line.slice(at + 2);
      const changes = ['age', 'etag', 'last-modified'].includes(name);
      expect([name, headers[name]]).toEqual([name, changes ? expect.any(String) : value]);
    }
  });

  it('tells absence for a short time, and evicts by tag', async () => {
    expect((await app.get('/v1/articles/9')).status).toBe(404);
    expect((await app.get('/v1/articles/9')).headers['x-cache']).toBe('L1');
    app.clock.advance(5_001);
    expect((await app.get('/v1/articles/9')).headers['x-cache']).toBe('MISS');
    await app.hub.invalidateTags(['author:ann']);
    expect((await app.get('/v1/articles/7')).headers['x-cache']).toBe('MISS');
    await app.get('/v1/articles/8');
    await app.hub.invalidateTags(['author:ann']);
    expect((await app.get('/v1/articles/8')).headers['x-cache']).toBe('L1');
  });

  it('lists by author and by language', async () => {
    const all = await app.get('/v1/articles', { 'accept-language': 'de' });
    expect(JSON.parse(all.text)).toHaveLength(2);
    expect(all.headers.vary).toBe('accept-language');
    const some = await app.get('/v1/articles?author=bob', { 'accept-language': 'de' });
    expect(JSON.parse(some.text)).toEqual([{ id: '8', author: 'bob' }]);
  });
});
