import type { FactoryProvider } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { authSettings } from '../auth.settings.js';
import { BreachedPasswords } from './breached-passwords.js';
import { FileBreachedPasswords } from './breached-passwords.file.js';
import { RangeBreachedPasswords } from './breached-passwords.range.js';

const TIMEOUT_MS = 2_000;
/** The answers of such services have some 40 KB. */
const MAX_ANSWER_CHARACTERS = 1_000_000;

/** The list that the settings name; the file goes before the service. Undefined when they name none. */
export const breachedPasswordsProvider: FactoryProvider<BreachedPasswords | undefined> = {
  provide: BreachedPasswords,
  useFactory: (settings: SettingsStore) => {
    const { breachedPasswordsFile, breachedPasswordsUrl } = settings.get(authSettings);
    if (breachedPasswordsFile !== undefined)
      return new FileBreachedPasswords(breachedPasswordsFile);
    if (breachedPasswordsUrl === undefined) return undefined;
    return new RangeBreachedPasswords((prefix) => askRange(breachedPasswordsUrl, prefix));
  },
  inject: [SettingsStore],
};

async function askRange(baseUrl: string, prefix: string): Promise<string> {
  const response = await fetch(`${baseUrl.replace(/\/$/, '')}/range/${prefix}`, {
    headers: { 'add-padding': 'true' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok || text.length > MAX_ANSWER_CHARACTERS) {
    throw new Error(`The service of breached passwords answered with ${response.status}.`);
  }
  return text;
}
