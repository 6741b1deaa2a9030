import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ContextClient, contextClient } from '../context/context-fixtures.js';
import type { TestAnswer, TestApi } from '../support/app.js';
import { msUntil } from './support/eventually.js';
import { drain, Instances } from './support/instances.js';
import { metricOf } from './support/metric.js';

let instances: Instances;

beforeAll(async () => {
  instances = await Instances.prepare();
});

afterEach(() => instances.end());
afterAll(() => instances.close());

const levelOf = ({ headers }: TestAnswer): string | null => headers.get('x-cache');

describe('a compiled context, read over HTTP', () => {
  const PASSWORD = 'a long enough password';
  const EMAIL = 'levels@test.example';
  let api: TestApi;
  let client: ContextClient;
  let request: { readonly sources: readonly { readonly id: string }[] };
  let sources = 0;

  beforeEach(async () => {
    api = await instances.start();
    await api.request('POST', '/v1/auth/register', { body: { email: EMAIL, password: PASSWORD } });
    client = await loggedIn(api);
    sources += 1;
    const name = `levels-${sources}`;
    await client.makeSource(name);
    await client.addEntry(name, { text: 'The only entry' });
    await client.post(`/v1/sources/${name}/consistency/repair`);
    request = { sources: [{ id: name }] };
    await client.compile(request);
    await drain(api);
  });

  async function loggedIn(to: TestApi): Promise<ContextClient> {
    return contextClient(to, await to.login({ email: EMAIL, password: PASSWORD }));
  }

  it('comes from L1 also when it is made while Redis is away', async () => {
    await instances.withoutRedis(async () => {
      const other = { ...request, texts: ['asked while Redis is away'] };
      await msUntil(async () => (await metricOf(api, 'cache_in_sync')) === 0);
      const first = await client.compile(other);
      const second = await client.compile(other);
      expect([first.status, levelOf(first), levelOf(second)]).toEqual([200, 'MISS', 'L1']);
      expect(second.body).toEqual(first.body);
      // What was in memory before may have been invalidated by others meanwhile: L3 is asked once.
      const known = [await client.compile(request), await client.compile(request)];
      expect(known.map(levelOf)).toEqual(['L3', 'L1']);
    });
  });

  it('comes from L2 after a restart, and from L1 then', async () => {
    const before = await client.compile(request);
    api = await instances.restart(api);
    client = await loggedIn(api);
    const hits = (level: string) =>
      metricOf(api, `cache_hits_total{level="${level}",namespace="context.compiled"}`);
    const second = await client.compile(request);
    expect([levelOf(second), second.body]).toEqual(['L2', before.body]);
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([0, 1, 0]);
    expect(levelOf(await client.compile(request))).toBe('L1');
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([1, 1, 0]);
  });

  it('comes from L3 after a restart and FLUSHDB, and fills the levels above', async () => {
    const before = await client.compile(request);
    api = await instances.restart(api);
    await instances.flushRedis();
    client = await loggedIn(api);
    const third = await client.compile(request);
    expect([levelOf(third), third.body]).toEqual(['L3', before.body]);
    await drain(api);
    api = await instances.restart(api);
    client = await loggedIn(api);
    expect(levelOf(await client.compile(request))).toBe('L2');
  });

  it('is compiled once for a hundred callers at one time', async () => {
    const other = { ...request, texts: ['something else'] };
    const series = 'cache_loads_total{namespace="context.compiled",outcome="stored"}';
    const loads = await metricOf(api, series);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.compile(other)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await metricOf(api, series)) - loads).toBe(1);
  });
});
