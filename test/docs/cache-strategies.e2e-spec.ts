import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { startTestApi, type TestApi } from '../support/app.js';
import { fencedBlocks } from './markdown.js';

const TRACE = {
  accesses: Array.from({ length: 400 }, (_, at) => ({
    key: `user:${Math.floor((((at * 7_919) % 400) / 400) ** 3 * 100)}:profile`,
    atMs: at * 10,
    bytes: 800,
  })),
};

const requests = fencedBlocks(await readFile('docs/caching/strategies.md', 'utf8'))
  .filter(({ language }) => language === 'http')
  .map(({ text }) => {
    const [first = '', ...rest] = text.split('\n');
    const [method = '', path = ''] = first.split(' ');
    const body = rest.join('\n').replace('TRACE', JSON.stringify(TRACE)).trim();
    return { method, path, body };
  });

describe('the requests of docs/caching/strategies.md', () => {
  let api: TestApi;
  let token: string;

  beforeAll(async () => {
    api = await startTestApi({ PANTHEON_CACHE_STRATEGY_OPTIMIZE_WINDOW_MS: '50' });
    token = await api.login();
  });
  afterAll(() => api.close());

  it('are there', () => {
    expect(requests.length).toBeGreaterThan(4);
  });

  it.each(requests)('are served: $method $path', async ({ method, path, body }) => {
    const answer = await api.request(method, path, {
      token,
      ...(body === '' ? {} : { body: JSON.parse(body) as unknown }),
    });
    expect({ status: answer.status, body: answer.body as unknown }).toMatchObject({
      status: method === 'POST' && !path.endsWith('optimize') ? 201 : 200,
    });
  });
});
