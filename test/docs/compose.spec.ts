import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { DCLinter } from 'dclint';
import { allSettings } from '../../apps/shared/src/all-settings.js';
import { SettingsStore } from '#libs/config';
import { shutdownSettings } from '#libs/resilience';
import { type Compose, durationMs, interpolations, readCompose, serviceOf } from './compose.js';

const run = promisify(execFile);
const content = await readFile('docker-compose.yml', 'utf8');
const compose: Compose = await readCompose();
const services = Object.entries(compose.services);
const folder = await mkdtemp(join(tmpdir(), 'pantheon-compose-'));

/** The order of keys is ours: what a service is comes first, its limits last. */
const OFF = [
  'service-keys-order',
  'services-alphabetical-order',
  'top-level-properties-order',
] as const;
/** The part of the linter that is used here; its own types do not resolve in ESM. */
interface Linter {
  lintFiles(
    paths: readonly string[],
    recursive: boolean,
  ): { messages: { line: number; rule: string; message: string }[] }[];
}
const linter: Linter = new DCLinter({
  rules: Object.fromEntries(OFF.map((rule) => [rule, 0])),
  quiet: false,
  debug: false,
  exclude: [],
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('docker-compose.yml', () => {
  it('fits the schema of the Compose Specification and passes the linter', () => {
    const faults = linter
      .lintFiles(['docker-compose.yml'], false)
      .flatMap(({ messages }) => messages);
    expect(faults.map(({ line, rule, message }) => `${line} ${rule} ${message}`)).toEqual([]);
  });

  it.each([
    ['a key that does not exist', (text: string) => text.replace('    restart:', '    restarts:')],
    ['an image without a version', (text: string) => text.replace('haproxy:3.4-alpine', 'haproxy')],
    [
      'a port open to every network',
      (text: string) => text.replace('127.0.0.1:${PANTHEON', '${PANTHEON'),
    ],
  ])('would not pass with %s', async (_, spoil) => {
    const path = join(folder, 'docker-compose.yml');
    await writeFile(path, spoil(content));
    expect(linter.lintFiles([path], false).flatMap(({ messages }) => messages)).not.toEqual([]);
  });

  it('runs two APIs, a worker, and everything around them', () => {
    expect(services.map(([name]) => name).sort()).toEqual(
      ['api', 'grafana', 'haproxy', 'migrate', 'postgres', 'prometheus', 'valkey', 'worker'].sort(),
    );
    expect(serviceOf(compose, 'api').deploy.replicas).toBe(2);
    expect(serviceOf(compose, 'postgres').image).toMatch(/^postgres:18\./);
  });

  it.each(services)('bounds the memory and the processor of %s', (_, service) => {
    expect(service.deploy.resources.limits).toEqual({
      cpus: expect.stringMatching(/^\d+\.\d$/),
      memory: expect.stringMatching(/^\d+[MG]$/),
    });
  });

  it.each(services)('knows when %s is healthy, or says that it needs no check', (_, service) => {
    const inherits = service.image === 'pantheon:local';
    expect(service.healthcheck !== undefined || inherits).toBe(true);
  });

  it('names only services, networks, volumes and secrets that it declares', () => {
    for (const [, service] of services) {
      expect(Object.keys(compose.services)).toEqual(
        expect.arrayContaining(Object.keys(service.depends_on ?? {})),
      );
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining([...service.networks]));
      expect(Object.keys(compose.secrets)).toEqual(
        expect.arrayContaining([...(service.secrets ?? [])]),
      );
      const named = (service.volumes ?? [])
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((source) => !source.startsWith('.'));
      expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
    }
  });

  it('mounts only files that are there', async () => {
    const mounted = services.flatMap(([, service]) => service.volumes ?? []);
    const own = mounted
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((path) => path.startsWith('.'));
    expect(own.length).toBeGreaterThan(3);
    for (const path of own) await expect(stat(path)).resolves.toBeDefined();
  });

  it('waits for a healthy service where there is a check, for the end of one that ends', () => {
    for (const [, { depends_on }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on ?? {})) {
        const ends = serviceOf(compose, name).restart === 'no';
        expect(condition).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
      }
    }
  });

  it('keeps the database and the queue where nothing but our processes reaches them', () => {
    expect(compose.networks['data']?.internal).toBe(true);
    for (const name of ['postgres', 'valkey']) {
      expect(serviceOf(compose, name).networks).toEqual(['data']);
      expect(serviceOf(compose, name).ports).toBeUndefined();
    }
  });

  it('migrates in one process, before the others start', () => {
    for (const name of ['api', 'worker']) {
      const service = serviceOf(compose, name);
      expect(service.environment?.['PANTHEON_DATABASE_MIGRATE_ON_START']).toBe('false');
      expect(service.depends_on?.['migrate']?.condition).toBe('service_completed_successfully');
    }
  });

  it.each(['api', 'worker'])('gives the %s longer to stop than it takes at most', (name) => {
    const service = serviceOf(compose, name);
    // Of the embedded PostgreSQL there is none.
    const { databaseDeadlineMs: _, ...defaults } = new SettingsStore([shutdownSettings], {
      environment: service.environment ?? {},
    }).get(shutdownSettings);
    const longestMs = Object.values(defaults).reduce((sum, ms) => sum + ms, 0);
    expect(durationMs(service.stop_grace_period ?? '')).toBeGreaterThan(longestMs);
  });

  it('has no default for a secret: without a value nothing starts', () => {
    const secrets = interpolations(content).filter(
      ({ variable }) => !/_(PORT|ISSUER)$/.test(variable),
    );
    expect(secrets.length).toBeGreaterThan(6);
    expect(secrets.filter(({ operator }) => operator !== ':?')).toEqual([]);
  });

  it('gets every secret from the file that make-env.mjs writes for its owner only', async () => {
    const path = join(folder, 'compose.env');
    await run(process.execPath, ['deploy/docker/make-env.mjs', path]);
    const values = parseEnv(await readFile(path, 'utf8'));
    const required = interpolations(content).filter(({ operator }) => operator === ':?');
    expect(Object.keys(values).sort()).toEqual(
      [...new Set(required.map((one) => one.variable))].sort(),
    );
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const random = Object.entries(values).filter(([name]) => !name.endsWith('_EMAIL'));
    expect(new Set(random.map(([, value]) => value)).size).toBe(random.length);
  });

  it('does not overwrite secrets that exist', async () => {
    const path = join(folder, 'kept.env');
    await writeFile(path, 'POSTGRES_PASSWORD=mine\n');
    const failed = run(process.execPath, ['deploy/docker/make-env.mjs', path]);
    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(path) });
    expect(await readFile(path, 'utf8')).toBe('POSTGRES_PASSWORD=mine\n');
  });

  it.each(['api', 'worker', 'migrate'])(
    'gives %s settings that exist and are valid',
    async (name) => {
      const path = join(folder, `${name}.env`);
      await run(process.execPath, ['deploy/docker/make-env.mjs', path]);
      const values = parseEnv(await readFile(path, 'utf8'));
      const environment = Object.fromEntries(
        Object.entries(serviceOf(compose, name).environment ?? {}).map(([variable, text]) => [
          variable,
          text.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, secret: string) => values[secret] ?? ''),
        ]),
      );
      const store = new SettingsStore(allSettings, { environment });
      expect(store.unknownVariables()).toEqual([]);
      const set = store.describe().filter(({ source }) => source === 'environment');
      expect(set.map(({ env }) => env)).toEqual(
        expect.arrayContaining(['DATABASE_URL', 'REDIS_URL']),
      );
    },
  );
});
