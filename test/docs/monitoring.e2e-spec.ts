import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { startTestApi, type TestApi } from '../support/app.js';
import { readCompose, serviceOf } from './compose.js';
import { lastStep, readDockerfile } from './dockerfile.js';
import { exposedNames, metricNames } from './promql.js';

/** What other programs expose, as far as it is used here. */
const ELSEWHERE = new Set([
  'up',
  'haproxy_backend_active_servers',
  'haproxy_backend_redispatch_warnings_total',
  'haproxy_backend_retry_warnings_total',
  'haproxy_frontend_http_responses_total',
]);
const TOKEN = 'a token that only Prometheus knows';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly expr: string;
      readonly record?: string;
      readonly alert?: string;
    }[];
  }[];
}

const dashboards = await readdir('deploy/grafana/dashboards');
const panels = (
  await Promise.all(
    dashboards.map(async (name) => {
      const dashboard = await readJson<{ readonly panels: readonly Panel[] }>(
        `deploy/grafana/dashboards/${name}`,
      );
      return dashboard.panels;
    }),
  )
).flat();
const rules = (await readYaml<Rules>('deploy/prometheus/rules.yml')).groups.flatMap(
  (group) => group.rules,
);

describe('the monitoring', () => {
  let api: TestApi;
  let exposed: ReadonlySet<string>;

  beforeAll(async () => {
    api = await startTestApi({ PANTHEON_METRICS_TOKEN: TOKEN, PANTHEON_METRICS_ACCESS: 'token' });
    const { body } = await api.request('GET', '/metrics', { token: TOKEN });
    exposed = exposedNames(String(body));
  });

  afterAll(() => api.close());

  it('gives the metrics to whoever has the token, and to nobody else', async () => {
    expect((await api.request('GET', '/metrics')).status).toBe(401);
    expect((await api.request('GET', '/metrics', { token: 'another' })).status).toBe(401);
    expect(exposed.has('http_requests_total')).toBe(true);
  });

  it.each(panels.filter(({ targets }) => targets !== undefined))(
    'shows in "$title" only what is exposed',
    ({ targets = [], datasource }) => {
      expect(datasource?.uid).toBe('prometheus');
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr } of targets) expectExposed(expr);
    },
  );

  it('has panels that do not lie over one another', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it.each(rules.map(({ expr, alert, record }) => ({ expr, rule: alert ?? record })))(
    'has the rule $rule for what is exposed',
    ({ expr }) => expectExposed(expr),
  );

  it('scrapes every API and worker at the ports of the image, with the token, and the balancer', async () => {
    const config = await readYaml<{
      readonly rule_files: readonly string[];
      readonly scrape_configs: readonly Record<string, unknown>[];
    }>('deploy/prometheus/prometheus.yml');
    const prometheus = serviceOf(await readCompose(), 'prometheus');
    const stages = readDockerfile(await readFile('Dockerfile', 'utf8'));
    const stage = stages.at(-1);
    const [port, healthPort] = stage === undefined ? [] : lastStep(stage, 'EXPOSE').text.split(' ');
    const [first, workers, balancer] = config.scrape_configs;
    // The rules go by the name of the job, where a label of that name is not a kind of job.
    const jobs = new Set(
      rules.flatMap(({ expr }) => [...expr.matchAll(/\bjob=~?"([^"]+)"/g)].map(([, job]) => job)),
    );
    const scraped = new Set(config.scrape_configs.map((scrape) => scrape['job_name']));
    expect([...jobs].filter((job) => !scraped.has(job))).toEqual([]);
    expect(first).toMatchObject({
      authorization: { credentials_file: `/run/secrets/${prometheus.secrets?.[0] ?? ''}` },
      dns_sd_configs: [{ names: ['api'], type: 'A', port: Number(port) }],
    });
    expect(workers).toMatchObject({
      authorization: first?.['authorization'],
      dns_sd_configs: [{ names: ['worker'], type: 'A', port: Number(healthPort) }],
    });
    expect(balancer).toMatchObject({ static_configs: [{ targets: ['haproxy:8405'] }] });
    const mounted = prometheus.volumes?.map((volume) => volume.split(':')[1]);
    expect(mounted).toEqual(expect.arrayContaining([...config.rule_files]));
  });

  it('gives Grafana a source of the name that the panels ask for', async () => {
    const { datasources } = await readYaml<{ datasources: { uid: string; url: string }[] }>(
      'deploy/grafana/provisioning/datasources/prometheus.yml',
    );
    expect(datasources).toMatchObject([{ uid: 'prometheus', url: 'http://prometheus:9090' }]);
    const { providers } = await readYaml<{ providers: { options: { path: string } }[] }>(
      'deploy/grafana/provisioning/dashboards/pantheon.yml',
    );
    const volumes = serviceOf(await readCompose(), 'grafana').volumes ?? [];
    const path = providers[0]?.options.path ?? '';
    expect(volumes).toContain(`./deploy/grafana/dashboards:${path}:ro`);
  });

  function expectExposed(expr: string): void {
    const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
    const names = metricNames(expr);
    expect(names.length).toBeGreaterThan(0);
    const unknown = names.filter(
      (name) => !exposed.has(name) && !recorded.has(name) && !ELSEWHERE.has(name),
    );
    expect({ expr, unknown }).toEqual({ expr, unknown: [] });
  }
});

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}

async function readYaml<T>(path: string): Promise<T> {
  return parse(await readFile(path, 'utf8')) as T;
}
