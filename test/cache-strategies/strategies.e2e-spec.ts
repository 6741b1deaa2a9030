import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';

const ROUTE = '/v1/perf/cache/strategies';

describe('cache strategies over HTTP', () => {
  let api: TestApi;
  let token: string;

  beforeAll(async () => {
    api = await startTestApi({ PANTHEON_CACHE_STRATEGY_OPTIMIZE_WINDOW_MS: '100' });
    token = await api.login();
  });
  afterAll(() => api.close());

  const send = (method: string, path: string, body?: unknown) =>
    api.request(method, ROUTE + path, { token, ...(body === undefined ? {} : { body }) });

  /** Reads with a skew: key 0 most. */
  const accesses = Array.from({ length: 2_000 }, (_, at) => ({
    key: `user:${Math.floor((((at * 7_919) % 2_000) / 2_000) ** 3 * 300)}:profile`,
    atMs: at * 20,
    bytes: 500,
  }));

  it('makes a configured strategy and keeps what is written into it', async () => {
    const made = await send('POST', '', { name: 'plain', type: 'hybrid', configuration: {} });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'plain',
      type: 'hybrid',
      status: 'active',
      version: 1,
      namespaces: ['strategy.plain'],
      levels: [{ level: 'L3', store: 'postgres', state: 'closed' }],
    });
    for (const value of [{ a: 1 }, 0, '', false, null, [1, 2]]) {
      expect((await send('PUT', '/plain/entries/k:1', { value })).status).toBe(200);
      const read = await send('GET', '/plain/entries/k:1');
      expect(read.body).toMatchObject({ key: 'k:1', value, source: 'L1' });
    }
    expect((await send('DELETE', '/plain/entries/k:1')).body).toMatchObject({ acknowledged: true });
    const gone = await send('GET', '/plain/entries/k:1');
    expect(gone).toMatchObject({ status: 404, body: { code: 'CACHE_STRATEGY_ENTRY_NOT_FOUND' } });
  });

  it('reads a distributed strategy from the shared level, not from memory', async () => {
    await send('POST', '', { name: 'shared', type: 'distributed', configuration: {} });
    await send('PUT', '/shared/entries/a', { value: 1 });
    expect((await send('GET', '/shared/entries/a')).body).toMatchObject({ source: 'L3' });
    expect((await send('GET', '/shared')).body.figures).toMatchObject({ items: 0, hits: 1 });
  });

  it('makes a configuration from a trace, with the analysis and the reasons', async () => {
    const made = await send('POST', '', {
      name: 'generated',
      workload: { accesses, samples: [{ text: 'a'.repeat(2_000) }] },
      constraints: { maxBytes: 1_048_576, maxStalenessMs: 30_000 },
    });
    expect(made.status).toBe(201);
    const { configuration, provenance, expected } = made.body;
    expect(configuration.maxBytes).toBeLessThanOrEqual(1_048_576);
    expect(configuration.ttlMs).toBe(30_000);
    expect(configuration.compressFromBytes).toBe(1_024);
    expect(configuration.keyPatterns[0]).toMatchObject({ pattern: 'user:{id}:profile', share: 1 });
    expect(configuration.warmUp.topN).toBeGreaterThan(0);
    expect(expected.hitRatio).toBeGreaterThan(0.5);
    expect(provenance).toMatchObject({ origin: 'generated', unmet: [] });
    expect(provenance.analysis).toMatchObject({ reads: 2_000 });
    expect(provenance.reasons.map((reason: { of: string }) => reason.of)).toEqual([
      'type',
      'maxBytes',
      'policy',
      'ttlMs',
      'compressFromBytes',
      'warmUp',
      'prefetch',
    ]);
  });

  it('says which constraints cannot be met', async () => {
    const once = accesses.map((access, at) => ({ ...access, key: `once:${at}` }));
    const made = await send('POST', '', {
      name: 'unmet',
      workload: { accesses: once },
      constraints: { minHitRatio: 0.9 },
    });
    expect(made.body.provenance.unmet).toEqual([expect.stringMatching(/90\.0 % was asked for/)]);
  });

  it('shows live figures, also in /metrics', async () => {
    await send('POST', '', { name: 'counted', type: 'memory', configuration: {} });
    await send('PUT', '/counted/entries/a', { value: 'x'.repeat(1_000) });
    for (let read = 0; read < 5; read += 1) await send('GET', '/counted/entries/a');
    await send('GET', '/counted/entries/b');
    const { figures, levels } = (await send('GET', '/counted')).body;
    expect(figures).toMatchObject({ reads: 6, hits: 5, misses: 1, items: 1 });
    expect(figures.hitRatio).toBeCloseTo(5 / 6);
    expect(figures.bytes).toBeGreaterThan(1_000);
    expect(figures.readsPerSecond).toBeGreaterThan(0);
    expect(levels).toEqual([]);
    const { body } = await api.request('GET', '/metrics', { token });
    expect(body).toContain('cache_strategy_reads_total{strategy="counted",outcome="hit"} 5');
    expect(body).toContain('cache_strategy_reads_total{strategy="counted",outcome="miss"} 1');
    expect(body).toMatch(/cache_strategy_bytes\{strategy="counted"\} [1-9]/);
    expect(body).toContain(
      'cache_strategy_status{strategy="counted",type="memory",status="active"} 1',
    );
  });

  it('passes everything through while it is disabled, and starts empty afterwards', async () => {
    await send('POST', '', { name: 'switched', type: 'hybrid', configuration: {} });
    await send('PUT', '/switched/entries/a', { value: 1 });
    const off = await send('PATCH', '/switched', { status: 'disabled' });
    expect(off.body).toMatchObject({ status: 'disabled', version: 2 });
    expect((await send('GET', '/switched/entries/a')).status).toBe(404);
    const refused = await send('PUT', '/switched/entries/a', { value: 2 });
    expect(refused).toMatchObject({ status: 409, body: { code: 'CACHE_STRATEGY_STATUS' } });
    await send('PATCH', '/switched', { status: 'active' });
    expect((await send('GET', '/switched/entries/a')).status).toBe(404);
    const { figures } = (await send('GET', '/switched')).body;
    expect(figures.passed).toBe(2);
  });

  it('takes over changes of the configuration without losing entries', async () => {
    await send('POST', '', {
      name: 'edited',
      type: 'memory',
      configuration: { policy: 'lru', kind: 'api' },
    });
    await send('PUT', '/edited/entries/a', { value: 1 });
    const configuration = { policy: 'adaptive', maxBytes: 1_048_576, ttlMs: 5_000 };
    const changed = await send('PATCH', '/edited', { version: 1, configuration });
    expect(changed.body.configuration).toMatchObject(configuration);
    expect(changed.body.policyState).toMatchObject({ inForce: 'learned', switches: 0 });
    expect(changed.body.figures.maxBytes).toBe(1_048_576);
    expect((await send('GET', '/edited/entries/a')).body).toMatchObject({ value: 1 });
    await send('PUT', '/edited/entries/b', { value: 1 });
    const { createdAt, expiresAt } = (await send('GET', '/edited/entries/b')).body;
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBeLessThanOrEqual(5_000);
    const late = await send('PATCH', '/edited', { version: 1, status: 'disabled' });
    expect(late).toMatchObject({ status: 409, body: { code: 'CACHE_STRATEGY_CHANGED' } });
  });

  async function readThrough(key: string): Promise<void> {
    const read = await send('GET', `/tuned/entries/${key}`);
    if (read.status !== 404) return;
    await send('PUT', `/tuned/entries/${key}`, { value: 'x'.repeat(400) });
  }

  it('optimises with the figures that were measured', async () => {
    await send('POST', '', {
      name: 'tuned',
      type: 'memory',
      configuration: { policy: 'fifo', maxBytes: 65_536 },
    });
    const keys = accesses.slice(0, 400).map(({ key }) => key);
    while (keys.length > 0) await Promise.all(keys.splice(0, 20).map((key) => readThrough(key)));
    const result = await send('POST', '/tuned/optimize');
    expect(result.status).toBe(200);
    expect(Object.keys(result.body)).toEqual(
      expect.arrayContaining([
        'optimizationsApplied',
        'improvement',
        'newHitRate',
        'latencyReduction',
        'memoryEfficiency',
        'recommendations',
      ]),
    );
    expect(result.body.recordedReads).toBe(400);
    expect(result.body.optimizationsApplied.map(({ type }: { type: string }) => type)).toContain(
      'size',
    );
    expect(result.body.improvement).toBeGreaterThan(0);
    const { body } = await send('GET', '/tuned');
    expect(body).toMatchObject({ status: 'active', lastOptimized: expect.any(String) });
    expect(body.configuration.maxBytes).toBeGreaterThan(65_536);
    expect(body.provenance.optimisations).toHaveLength(1);
    const skipped = await send('POST', '/tuned/optimize', {
      skipTypes: ['policy', 'size', 'ttl', 'compression', 'prefetch'],
    });
    expect(skipped.body).toMatchObject({ optimizationsApplied: [], improvement: 0 });
  });

  it.each([
    [{ name: 'Bad Name', configuration: {} }, 'body.name'],
    [{ name: 'a', type: 'tape', configuration: {} }, 'body.type'],
    [{ name: 'a', configuration: { ttlMs: -1 } }, 'body.configuration.ttlMs'],
    [{ name: 'a' }, 'body.workload'],
    [{ name: 'a', configuration: { unknown: 1 } }, 'body.configuration'],
  ])('refuses %j with the path of the fault', async (body, path) => {
    const answer = await send('POST', '', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContainEqual(
      expect.stringContaining(path),
    );
  });

  it('refuses a name that is taken, an unknown policy and too small a workload', async () => {
    await send('POST', '', { name: 'taken', configuration: {} });
    const taken = await send('POST', '', { name: 'taken', configuration: {} });
    expect(taken).toMatchObject({ status: 409, body: { code: 'CACHE_STRATEGY_NAME_TAKEN' } });
    const policy = await send('POST', '', { name: 'b', configuration: { policy: 'magic' } });
    expect(policy.body.code).toBe('CACHE_POLICY_UNKNOWN');
    const small = { name: 'c', workload: { namespace: 'strategy.taken' } };
    const refused = await send('POST', '', small);
    expect(refused).toMatchObject({ status: 422, body: { code: 'CACHE_WORKLOAD_TOO_SMALL' } });
  });

  it('needs the permissions to read and to manage', async () => {
    const other = await api.register('nobody@test.example');
    const read = await api.request('GET', ROUTE, { token: other });
    expect(read.status).toBe(403);
    const made = await api.request('POST', ROUTE, {
      token: other,
      body: { name: 'x', configuration: {} },
    });
    expect(made.status).toBe(403);
  });

  it('deletes a strategy with what it holds', async () => {
    await send('POST', '', { name: 'doomed', type: 'distributed', configuration: {} });
    await send('PUT', '/doomed/entries/a', { value: 1 });
    expect((await send('DELETE', '/doomed')).status).toBe(204);
    expect((await send('GET', '/doomed')).status).toBe(404);
    await send('POST', '', { name: 'doomed', type: 'distributed', configuration: {} });
    expect((await send('GET', '/doomed/entries/a')).status).toBe(404);
  });
});
