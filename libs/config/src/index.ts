export { ConfigModule } from './config.module.js';
export { SettingsInvalidError } from './errors/settings-invalid.error.js';
export { SettingsFileWatcher, readSettingsFile } from './settings-file.js';
export { defineSettings } from './settings-section.js';
export type { SettingMeta, SettingsOf, SettingsSection } from './settings-section.js';
export { SettingsStore, settingsChanged } from './settings.store.js';
export type {
  SettingChange,
  SettingDescription,
  SettingSource,
  SettingsLayers,
  SettingsTree,
} from './settings.store.js';
