import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsStore } from '#libs/config';
import { createRootLogger, loggingSettings, type RootLogger } from './index.js';

let folder: string;
let fd: number;
let store: SettingsStore;
let root: RootLogger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pantheon-log-'));
  fd = openSync(join(folder, 'log'), 'w');
  store = new SettingsStore([loggingSettings], {
    environment: { PANTHEON_LOGGING_LEVELS: '{"default":"warn","jobs":"info"}' },
  });
  root = createRootLogger(store, { service: 'test', fd });
});

afterEach(async () => {
  await root.close();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

async function written(): Promise<string[]> {
  await root.flush();
  const text = readFileSync(join(folder, 'log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
}

describe('createRootLogger', () => {
  it('takes levels from the settings, and follows them while it runs', async () => {
    root.module('jobs').info('one');
    root.module('other').info('not written');
    store.overrideAll({ 'logging.levels': { default: 'debug', jobs: 'error' } });
    root.module('jobs').info('not written');
    root.module('other').debug('two');
    expect(await written()).toEqual(['one', 'two']);
  });

  it('refuses levels that do not exist, and keeps those in force', () => {
    expect(() => store.overrideAll({ 'logging.levels': { default: 'loud' } })).toThrow(
      'logging.levels',
    );
    expect(root.module('jobs').isLevelEnabled('info')).toBe(true);
  });

  it('masks further names as soon as they are set', async () => {
    store.overrideAll({ 'logging.redactKeys': ['nickname'] });
    root.module('jobs').info('x', { nickname: 'hidden-value' });
    await root.flush();
    expect(readFileSync(join(folder, 'log'), 'utf8')).not.toContain('hidden-value');
  });

  it('writes what is left when it is closed, and follows the settings no more', async () => {
    root.module('jobs').info('last');
    await root.close();
    await root.close();
    expect(await written()).toEqual(['last']);
    store.overrideAll({ 'logging.levels': { default: 'trace' } });
    expect(root.module('other').isLevelEnabled('info')).toBe(false);
  });
});
