import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { validate } from 'dockerfile-utils';
import { execForm, lastStep, properties, readDockerfile } from './dockerfile.js';

const content = await readFile('Dockerfile', 'utf8');
const stages = readDockerfile(content);
const runtime = stages.at(-1);
const packageJson = JSON.parse(await readFile('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};

if (runtime === undefined) throw new Error('the Dockerfile has no stage');

describe('Dockerfile', () => {
  it('passes the linter', () => {
    expect(validate(content).map(({ message, range }) => [range.start.line + 1, message])).toEqual(
      [],
    );
  });

  it('would not pass the linter with a fault in it', () => {
    expect(validate(content.replace('EXPOSE 3000 3001', 'EXPOSE http'))).toHaveLength(1);
  });

  it('takes every stage from one exact version of a maintained Node LTS', () => {
    expect(new Set(stages.map(({ image }) => image)).size).toBe(1);
    expect(runtime.image).toMatch(/^node:24\.\d+\.\d+-trixie-slim$/);
  });

  it('installs from the lock file before it copies the sources, so that both are cached apart', () => {
    const steps = stages[0]?.steps.map(({ keyword, text }) => `${keyword} ${text}`) ?? [];
    const install = steps.findIndex((step) => step.startsWith('RUN npm ci'));
    expect(install).toBeGreaterThan(steps.findIndex((step) => step.includes('package-lock.json')));
    expect(install).toBeLessThan(steps.findIndex((step) => step.startsWith('COPY libs')));
  });

  it('starts what "npm run start:prod" starts, as a process that gets the signals itself', () => {
    expect(`exec ${execForm(lastStep(runtime, 'CMD')).join(' ')}`).toBe(
      packageJson.scripts['start:prod'],
    );
    expect(lastStep(runtime, 'STOPSIGNAL').text).toBe('SIGTERM');
  });

  it('runs as a user other than root', () => {
    expect(lastStep(runtime, 'USER').text).toBe('node');
  });

  it('listens on every interface at the ports that it exposes', () => {
    const environment = properties(content, 'ENV');
    expect(environment).toMatchObject({ NODE_ENV: 'production', HOST: '0.0.0.0' });
    expect(lastStep(runtime, 'EXPOSE').text).toBe(
      `${environment['PORT']} ${environment['PANTHEON_HEALTH_PORT']}`,
    );
  });

  it('holds no secret', () => {
    const names = Object.keys({ ...properties(content, 'ENV'), ...properties(content, 'LABEL') });
    expect(names.filter((name) => /pass|secret|token|key/i.test(name))).toEqual([]);
  });
});
