import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { SettingsStore } from '#libs/config';
import { problemSchema } from '#libs/http';
import { requestIdFrom } from '#libs/logging';
import { persistenceSettings } from '#libs/persistence';
import { makeProblem } from '../../apps/api/src/http/problem-details.js';
import { durationMs, readCompose, serviceOf } from './compose.js';
import { lastStep, readDockerfile } from './dockerfile.js';

const sections = parse(await readFile('deploy/haproxy/haproxy.cfg', 'utf8'));

describe('deploy/haproxy/haproxy.cfg', () => {
  it('bounds every wait', () => {
    const timeouts = linesOf('defaults').filter((line) => line.startsWith('timeout '));
    expect(new Set(timeouts.map((line) => line.split(' ')[1]))).toEqual(
      new Set(['check', 'client', 'connect', 'http-keep-alive', 'http-request', 'queue', 'server']),
    );
  });

  it('waits longer for the API than the API lets a statement run', () => {
    const server = linesOf('defaults').find((line) => line.startsWith('timeout server '));
    const { statementTimeoutMs } = new SettingsStore([persistenceSettings]).get(
      persistenceSettings,
    );
    expect(durationMs(server?.split(' ')[2] ?? '')).toBeGreaterThan(statementTimeoutMs);
  });

  it('asks the least busy API that is ready', async () => {
    const lines = linesOf('backend api');
    expect(lines).toContain('balance leastconn');
    const check = lines.find((line) => line.startsWith('http-check send'));
    const [, path = ''] = /uri (\S+)/.exec(check ?? '') ?? [];
    expect(await readFile('deploy/docker/health-check.mjs', 'utf8')).toContain(`${path}\``);
  });

  it('has room for more APIs than docker-compose.yml starts, at the port of the image', async () => {
    const template = linesOf('backend api').find((line) => line.startsWith('server-template'));
    const [, , slots, address] = template?.split(/\s+/) ?? [];
    const stages = readDockerfile(await readFile('Dockerfile', 'utf8'));
    const [port, healthPort] = lastStep(stages.at(-1) ?? fail(), 'EXPOSE').text.split(' ');
    const compose = await readCompose();
    expect(address).toBe(`api:${port}`);
    const server = linesOf('backend api').find((line) => line.startsWith('default-server'));
    expect(server).toContain(` check port ${healthPort} `);
    expect(Number(slots)).toBeGreaterThan(serviceOf(compose, 'api').deploy.replicas ?? 1);
    expect(serviceOf(compose, 'api').networks).toEqual(
      expect.arrayContaining([...serviceOf(compose, 'haproxy').networks]),
    );
  });

  it('stops using an API within the time that a draining one goes on answering', async () => {
    const server = linesOf('backend api').find((line) => line.startsWith('default-server'));
    const [, inter = '', fall = ''] = /inter (\S+) .*fall (\d+)/.exec(server ?? '') ?? [];
    const api = serviceOf(await readCompose(), 'api');
    expect(durationMs(inter) * Number(fall)).toBeLessThan(
      Number(api.environment?.['PANTHEON_SHUTDOWN_DRAIN_DELAY_MS']),
    );
  });

  it('sends a request a second time only when that does no harm', () => {
    const lines = linesOf('backend api');
    expect(lines).toContain(
      'http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }',
    );
    expect(lines).toContain('retry-on conn-failure empty-response junk-response');
  });

  it.each(['abc', 'A-b_c.9', 'a'.repeat(128), 'a'.repeat(129), 'two words', 'quote"', ''])(
    'keeps the request id %j of a caller exactly when the API would',
    (id) => {
      const line = linesOf('frontend public').find((text) => text.includes('-m reg'));
      const [, pattern = ''] = /-m reg (\S+)/.exec(line ?? '') ?? [];
      expect(new RegExp(pattern).test(id)).toBe(requestIdFrom(id) === id);
    },
  );

  it('passes the request id on, and replaces what a caller says of itself', () => {
    const headers = linesOf('frontend public')
      .filter((line) => line.startsWith('http-request set-header'))
      .map((line) => line.split(' ')[2]);
    expect(headers).toEqual([
      'X-Request-Id',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
    ]);
  });

  it('is asked for its health where it answers', async () => {
    const monitor = linesOf('frontend monitor');
    const { healthcheck } = serviceOf(await readCompose(), 'haproxy');
    const url = new URL(healthcheck?.test?.at(-1) ?? '');
    expect(monitor).toContain(`bind :${url.port}`);
    expect(monitor).toContain(`monitor-uri ${url.pathname}`);
  });

  it('does not publish the metrics of the APIs', () => {
    expect(linesOf('frontend public')).toContain(
      'http-request deny deny_status 404 if { path /metrics }',
    );
  });

  it('answers its own errors as the API answers errors', () => {
    const errors = linesOf('defaults').filter((line) => line.startsWith('http-error'));
    expect(errors).toHaveLength(6);
    for (const line of errors) {
      expect(line).toContain('content-type application/problem+json');
      const [, status, body = ''] = /status (\d+) .* lf-string '([^']*)'/.exec(line) ?? [];
      const problem = problemSchema.parse(JSON.parse(body.replaceAll(/%\[[^\]]*\]/g, 'some-id')));
      expect(problem.status).toBe(Number(status));
      expect(problem.type).toBe(makeProblem(problem).type);
    }
  });

  it('writes its log as JSON', () => {
    const format = linesOf('frontend public').find((line) => line.startsWith('log-format'));
    const [, line = ''] = /'(.*)'/.exec(format ?? '') ?? [];
    const filled = line.replaceAll(/%\[[^\]]*\]/g, 'x').replaceAll(/%[A-Za-z]+/g, '1');
    expect(Object.keys(JSON.parse(filled) as object)).toEqual(
      expect.arrayContaining(['status', 'durationMs', 'server', 'requestId']),
    );
  });
});

function linesOf(section: string): readonly string[] {
  return sections.get(section) ?? fail(section);
}

function fail(section = 'stage'): never {
  throw new Error(`there is no ${section}`);
}

/** Sections by their heading; comments and blank lines are left out. */
function parse(content: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of content.split('\n')) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (line.startsWith(' ')) current.push(text);
    else found.set(text, (current = []));
  }
  return found;
}
