import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';

describe('what the cache learns, over HTTP', () => {
  let api: TestApi;
  let administrator: string;
  let user: string;

  beforeAll(async () => {
    api = await startTestApi();
    administrator = await api.login();
    user = await api.register('ada@learning.example');
    const created = await api.request('POST', '/v1/sources', {
      token: user,
      body: { name: 'notes', kind: 'document' },
    });
    expect(created.status).toBe(201);
    for (let read = 0; read < 20; read += 1) {
      await api.request('POST', '/v1/contexts/compile', {
        token: user,
        body: { sources: [{ id: 'notes', label: 'Notes' }], texts: [`question ${read % 2}`] },
      });
    }
  }, 60_000);

  afterAll(() => api.close());

  const get = (path: string, token = administrator) => api.request('GET', path, { token });

  async function busiest(): Promise<string> {
    const { body } = await get('/v1/perf/cache/namespaces');
    // The most read comes first.
    return (body.items[0] as { name: string }).name;
  }

  it('shows the keys read most and the hours of a namespace', async () => {
    const { status, body } = await get(`/v1/perf/cache/patterns?namespace=${await busiest()}`);
    expect(status).toBe(200);
    expect(body.recording.recorded).toBeGreaterThan(5);
    expect(body.hotKeys[0].reads).toBeGreaterThan(5);
    expect(typeof body.hotKeys[0].key).toBe('string');
    expect(body.hours).toHaveLength(24);
    expect(body.hours[new Date().getUTCHours()]).toBeGreaterThan(0);
  });

  it('shows the policy in force of every namespace', async () => {
    const { status, body } = await get('/v1/perf/cache/model');
    expect(status).toBe(200);
    expect(body.items.length).toBeGreaterThan(0);
    expect(body.items[0]).toMatchObject({
      policy: expect.any(String),
      switches: expect.any(Number),
    });
  });

  it('gives the reads as a trace without keys and users', async () => {
    const { status, body, headers } = await get(
      `/v1/perf/cache/trace?namespace=${await busiest()}`,
    );
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (typeof body === 'string' ? body : '').trim().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        atMs: expect.any(Number),
        key: expect.stringMatching(/^[\w-]{12}$/),
        hit: expect.any(Boolean),
      });
    }
  });

  it('is not for users without the permission, and knows no other namespaces', async () => {
    for (const path of ['patterns?namespace=x', 'model', 'trace?namespace=x', 'warm']) {
      expect((await get(`/v1/perf/cache/${path}`, user)).status).toBe(403);
    }
    expect((await get('/v1/perf/cache/patterns?namespace=nobodys')).body).toMatchObject({
      status: 404,
      code: 'CACHE_NAMESPACE_UNKNOWN',
    });
    expect((await get('/v1/perf/cache/patterns')).status).toBe(400);
  });

  it.each([{ body: {} }, {}])('takes a wish to warm (%j), and shows its job', async (request) => {
    const { status, body } = await api.request('POST', '/v1/perf/cache/warm', {
      token: administrator,
      ...request,
    });
    expect(status).toBe(202);
    let job = await get(`/v1/jobs/${body.jobId}`);
    for (let tries = 0; tries < 200 && job.body.state !== 'completed'; tries += 1) {
      await sleep(50);
      job = await get(`/v1/jobs/${body.jobId}`);
    }
    expect(job.body).toMatchObject({
      state: 'completed',
      name: 'warm-cache',
      result: { failed: 0, loaded: expect.any(Number), skipped: expect.any(Number) },
    });
  });

  it('refuses to warm what nothing can warm, and faults with their paths', async () => {
    const warm = (body: object) =>
      api.request('POST', '/v1/perf/cache/warm', { token: administrator, body });
    expect((await warm({ namespace: 'nobodys' })).body).toMatchObject({
      status: 404,
      code: 'CACHE_WARM_UP_UNKNOWN',
    });
    const { status, body } = await warm({ keys: ['a'], topN: 0 });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path)).toContain('body.topN');
    expect((await warm({ keys: ['a'] })).body.errors[0].path).toBe('body.namespace');
  });

  it('tells Prometheus of policies', async () => {
    const { body } = await api.request('GET', '/metrics', { token: administrator });
    expect(body).toContain('# TYPE cache_prefetch_total counter');
    expect(body).toContain('# TYPE cache_policy_switches_total counter');
  });
});
