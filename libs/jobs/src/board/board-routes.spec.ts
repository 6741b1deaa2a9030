import { describe, expect, it } from '@jest/globals';
import { BoardRoutes } from './board-routes.js';

const routes = new BoardRoutes<{ name: string; method: string; route: string | string[] }>();
for (const [name, method, route] of [
  ['job', 'get', '/api/queues/:queueName/:jobId'],
  ['workers', 'get', '/api/queues/:queueName/workers'],
  ['retry', 'put', '/api/queues/:queueName/:jobId/retry/:status'],
  ['retryAll', 'put', '/api/queues/:queueName/retry/:status'],
  ['entry', 'get', ['/', '/queue/:queueName']],
] as const) {
  routes.add({ name, method, route: typeof route === 'string' ? route : [...route] });
}

const find = (method: string, path: string) => {
  const found = routes.find(method, path);
  return found && [found.route.name, found.params];
};

describe('BoardRoutes', () => {
  it('takes a word before a parameter', () => {
    expect(find('GET', '/api/queues/q/workers')).toEqual(['workers', { queueName: 'q' }]);
    expect(find('GET', '/api/queues/q/7')).toEqual(['job', { queueName: 'q', jobId: '7' }]);
    expect(find('PUT', '/api/queues/q/retry/failed')).toEqual([
      'retryAll',
      { queueName: 'q', status: 'failed' },
    ]);
  });

  it('decodes parameters', () => {
    expect(find('GET', '/api/queues/q/repeat%3Aa%3A1')).toEqual([
      'job',
      { queueName: 'q', jobId: 'repeat:a:1' },
    ]);
  });

  it('knows the first page with and without a slash', () => {
    expect(find('GET', '')).toEqual(['entry', {}]);
    expect(find('GET', '/')).toEqual(['entry', {}]);
  });

  it('finds nothing for other methods, other paths and broken encodings', () => {
    expect(find('POST', '/api/queues/q/workers')).toBeUndefined();
    expect(find('GET', '/api/queues')).toBeUndefined();
    expect(find('GET', '/api/queues/q/%E0%A4%A')).toBeUndefined();
  });
});
