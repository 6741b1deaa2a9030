import { Injectable, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { connectedPoolOf, persistenceSettings, QueryCache, tableLives } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { Caches } from '../managers/caches.js';
import { CachedQueryResultStore } from './cached-query-result.store.js';

/** Lets go of the pool at the end. */
@Injectable()
class QueryCacheOwner implements OnApplicationShutdown {
  constructor(private readonly cache: QueryCache) {}

  onApplicationShutdown(): void {
    this.cache.close();
  }
}

/** The query cache over the caches of the process. */
export const queryResultProviders: Provider[] = [
  {
    provide: QueryCache,
    useFactory: (caches: Caches, dataSource: DataSource, clock: Clock, store: SettingsStore) => {
      const read = (): string => store.get(persistenceSettings).queryCache;
      let setting = read();
      let lives = tableLives(setting);
      return new QueryCache({
        store: new CachedQueryResultStore(caches),
        pool: connectedPoolOf(dataSource),
        clock,
        isOn: () => read() !== '',
        ttlMs: (table) => {
          if (read() !== setting) {
            setting = read();
            lives = tableLives(setting);
          }
          return lives(table);
        },
      });
    },
    inject: [Caches, DataSource, Clock, SettingsStore],
  },
  QueryCacheOwner,
];
