import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { SettingsFileWatcher } from './settings-file.js';
import { SettingsStore } from './settings.store.js';

const WATCHER = Symbol('SettingsFileWatcher');

/** Makes the settings store injectable everywhere, and stops watching its file at shutdown. */
@Module({})
export class ConfigModule implements OnApplicationShutdown {
  constructor(@Inject(WATCHER) private readonly watcher: SettingsFileWatcher | null) {}

  static forRoot(store: SettingsStore, watcher: SettingsFileWatcher | null = null): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [
        { provide: SettingsStore, useValue: store },
        { provide: WATCHER, useValue: watcher },
      ],
      exports: [SettingsStore],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watcher?.close();
  }
}
