import type { FactoryProvider } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { OutboundHttp, type OutboundIntegration } from '#libs/resilience';
import { authSettings } from '../auth.settings.js';
import { BreachedPasswords } from './breached-passwords.js';
import { FileBreachedPasswords } from './breached-passwords.file.js';
import { RangeBreachedPasswords } from './breached-passwords.range.js';

const TIMEOUT_MS = 2_000;

/**
 * The list that the settings name; the file goes before the service. Undefined when they name none. A
 * file that cannot be read fails the start, or every password would be taken unchecked.
 */
export const breachedPasswordsProvider: FactoryProvider<BreachedPasswords | undefined> = {
  provide: BreachedPasswords,
  useFactory: async (settings: SettingsStore, outbound?: OutboundHttp) => {
    const { breachedPasswordsFile: file, breachedPasswordsUrl: baseUrl } =
      settings.get(authSettings);
    if (file !== undefined) return FileBreachedPasswords.open(file);
    if (baseUrl === undefined || outbound === undefined) return undefined;
    const service = outbound.integration({
      name: 'breached-passwords',
      baseUrl,
      timeoutMs: TIMEOUT_MS,
      passesContext: false,
    });
    return new RangeBreachedPasswords((prefix) => askRange(service, prefix));
  },
  inject: [SettingsStore, { token: OutboundHttp, optional: true }],
};

async function askRange(service: OutboundIntegration, prefix: string): Promise<string> {
  const answer = await service.request({
    path: `range/${prefix}`,
    headers: { accept: 'text/plain', 'add-padding': 'true' },
  });
  if (answer.isOk) return answer.text();
  throw new Error(`The service of breached passwords answered with status ${answer.status}.`);
}
