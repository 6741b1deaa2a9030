import type { SettingDescription } from '#libs/config';
import { loadSettings } from '../../../shared/src/load-settings.js';
import type { CommandIo, Outcome } from '../command-spec.js';
import { renderTable } from '../render-table.js';

/**
 * Validates the settings of all layers. Variables with our prefix that no setting reads are
 * warnings: most likely a misspelt name.
 * @throws SettingsInvalidError with the path, reason and origin of every fault
 */
export async function configCheck(_options: unknown, io: CommandIo): Promise<Outcome> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const { store, filePath } = await loadSettings(io.env);
  const durationMs = rounded(performance.now() - startedAt);
  const { user, system } = process.cpuUsage(cpuBefore);
  const settings = store.describe();
  const unknownVariables = store.unknownVariables();
  const changed = settings.filter(({ source }) => source !== 'default').length;
  return {
    data: {
      valid: true,
      filePath,
      durationMs,
      cpuMs: rounded((user + system) / 1000),
      unknownVariables,
      settings,
    },
    text: [
      ...unknownVariables.map((name) => `Warning: no setting reads the variable ${name}.`),
      settingsTable(settings),
      '',
      `The configuration is valid: ${settings.length} settings, ${changed} of them set (${durationMs} ms).`,
    ].join('\n'),
  };
}

/** Every setting with its value, masked where it is a secret. */
export async function configShow(_options: unknown, io: CommandIo): Promise<Outcome> {
  const { store, filePath } = await loadSettings(io.env);
  const settings = store.describe();
  return { data: { filePath, settings }, text: settingsTable(settings) };
}

function settingsTable(settings: readonly SettingDescription[]): string {
  return renderTable(
    ['setting', 'value', 'from', 'variable', 'live'],
    settings.map(({ path, value, source, env, live }) => [
      path,
      value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value),
      source,
      env,
      live ? 'yes' : 'no',
    ]),
  );
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
