import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pantheon, pantheonJson } from './pantheon-command.js';

/** Processor time that the work itself may take, module loading aside. */
const MOST_OWN_MS = 100;

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'pantheon cli '));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function writeConfig(content: unknown, name = 'pantheon.config.json'): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(cwd, name), text);
}

describe('pantheon config check', () => {
  it('passes without any settings, and quickly', async () => {
    const { valid, cpuMs, settings } = await pantheonJson<{
      valid: boolean;
      cpuMs: number;
      settings: { source: string }[];
    }>(['config', 'check'], { cwd });
    expect(cpuMs).toBeLessThan(MOST_OWN_MS);
    expect(valid).toBe(true);
    expect(settings.length).toBeGreaterThan(30);
    expect(settings.every(({ source }) => source === 'default')).toBe(true);
  });

  it('exits 1 with the path and reason of every fault, whatever layer it is in', async () => {
    writeConfig({ http: { port: 'eighty' }, database: { poolsize: 3 }, nonsense: {} });
    const { code, stdout, stderr } = await pantheon(['config', 'check'], {
      cwd,
      env: { PANTHEON_DATABASE_POOL_SIZE: '1', DATABASE_URL: 'mysql://x' },
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/http\.port: .*from file.*PORT/);
    expect(stderr).toMatch(/database\.poolSize: .*from environment.*PANTHEON_DATABASE_POOL_SIZE/);
    expect(stderr).toMatch(/database\.url: must start with postgres/);
    expect(stderr).toContain('database.poolsize: No such setting');
    expect(stderr).toContain('nonsense: No such setting');
    expect(stderr).toContain('CONFIG_INVALID');
    expect(stderr).not.toContain('    at ');
  });

  it('says the same to machines', async () => {
    const { code, stderr } = await pantheon(['config', 'check', '--json'], {
      cwd,
      env: { PORT: '99999' },
    });
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'CONFIG_INVALID',
        faults: [expect.objectContaining({ path: 'http.port' })],
      },
    });
  });

  it('names a file that cannot be read as settings', async () => {
    writeConfig('{ "http": ');
    const broken = await pantheon(['config', 'check'], { cwd });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain(join(cwd, 'pantheon.config.json'));
    writeConfig([], 'other.json');
    const other = await pantheon(['config', 'check'], {
      cwd,
      env: { PANTHEON_CONFIG_FILE: 'other.json' },
    });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain(join(cwd, 'other.json'));
  });

  it('warns of variables that no setting reads', async () => {
    const { code, stdout } = await pantheon(['config', 'check'], {
      cwd,
      env: { PANTHEON_HTTP_PROT: '80' },
    });
    expect(code).toBe(0);
    expect(stdout).toContain('PANTHEON_HTTP_PROT');
  });
});

describe('pantheon config show', () => {
  it('shows values with their origin, and masks secrets', async () => {
    writeConfig({ http: { port: 4000 } });
    const env = {
      DATABASE_URL: 'postgres://me:hunter2@db/x',
      PANTHEON_ADMIN_PASSWORD: 'hunter2hunter2',
    };
    const { code, stdout } = await pantheon(['config', 'show'], { cwd, env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/http\.port +4000 +file +PORT/);
    expect(stdout).toMatch(/database\.url +\*\*\* +environment +DATABASE_URL/);
    expect(stdout).not.toContain('hunter2');
    const json = await pantheon(['config', 'show', '--json'], { cwd, env });
    expect(json.stdout).not.toContain('hunter2');
  });
});

describe('the command line', () => {
  it('answers help without reading settings', async () => {
    const { code, stdout } = await pantheon(['--help'], { cwd, env: { PORT: 'broken' } });
    expect(code).toBe(0);
    expect(stdout).toContain('ingest');
  });

  it('exits 1 and suggests when a command is mistyped', async () => {
    const { code, stderr } = await pantheon(['conifg', 'check'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('config');
  });

  it('exits 2 when the database cannot be reached', async () => {
    const { code, stderr } = await pantheon(
      ['migrate', '--database-url', 'postgres://nobody@127.0.0.1:1/none'],
      { cwd },
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('DATABASE_UNAVAILABLE')]);
  });
});
