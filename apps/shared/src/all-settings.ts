import { authSettings } from '#libs/auth';
import { persistenceSettings } from '#libs/persistence';
import type { SettingsSection } from '#libs/config';

/** The settings of every lib and app, in the order in which they are documented. */
export const allSettings = [
  persistenceSettings,
  authSettings,
] as unknown as readonly SettingsSection[];
