import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { isError } from '#libs/core';
import { readSettingsFile, SettingsStore } from '#libs/config';
import { allSettings } from './all-settings.js';

export interface LoadedSettings {
  readonly store: SettingsStore;
  /** The configuration file that is in force, or would be once it exists. */
  readonly filePath: string;
}

/**
 * Settings from their layers: defaults < `pantheon.config.json` (or `PANTHEON_CONFIG_FILE`)
 * < `.env` < environment variables.
 * @throws SettingsInvalidError with the path and source of every fault
 */
export async function loadSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<LoadedSettings> {
  const { PANTHEON_CONFIG_FILE: configFile, ...variables } = {
    ...(await dotEnv()),
    ...environment,
  };
  const filePath = resolve(configFile ?? 'pantheon.config.json');
  const store = new SettingsStore(allSettings, {
    file: await readSettingsFile(filePath),
    environment: variables,
  });
  return { store, filePath };
}

async function dotEnv(): Promise<Record<string, string | undefined>> {
  try {
    return parseEnv(await readFile('.env', 'utf8'));
  } catch (error) {
    if (isError(error) && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
