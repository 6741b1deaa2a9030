import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { SettingsInvalidError } from './errors/settings-invalid.error.js';
import { readSettingsFile, SettingsFileWatcher } from './settings-file.js';
import { defineSettings } from './settings-section.js';
import { SettingsStore } from './settings.store.js';

const section = defineSettings('log', {
  level: z.enum(['info', 'debug']).default('info').meta({ description: 'Level', live: true }),
});

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantheon-settings-'));
  path = join(folder, 'pantheon.config.json');
});

afterEach(() => rm(folder, { recursive: true }));

describe('readSettingsFile', () => {
  it('takes a missing file for an empty one', async () => {
    expect(await readSettingsFile(path)).toEqual({});
  });

  it.each(['{', '[]', '{"log": 1}'])('names the file when it holds %s', async (content) => {
    await writeFile(path, content);
    const error: unknown = await readSettingsFile(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SettingsInvalidError);
    expect(String(error)).toContain(path);
  });
});

describe('SettingsFileWatcher', () => {
  it('puts a new version in force, keeps the old one when the next is invalid, and closes twice', async () => {
    const store = new SettingsStore([section]);
    let rejected: (error: unknown) => void = () => undefined;
    const watcher = new SettingsFileWatcher(path, store, (error) => rejected(error));

    const changed = new Promise((resolve) => store.onChange(resolve));
    await writeFile(`${path}.new`, '{"log": {"level": "debug"}}');
    await rename(`${path}.new`, path);
    await changed;
    expect(store.get(section).level).toBe('debug');

    const refusal = new Promise((resolve) => (rejected = resolve));
    await writeFile(path, '{"log": {"level": "loud"}}');
    expect(await refusal).toBeInstanceOf(SettingsInvalidError);
    expect(store.get(section).level).toBe('debug');

    await watcher.close();
    await watcher.close();
  });
});
