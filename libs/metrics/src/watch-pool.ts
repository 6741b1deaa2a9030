import type { Figures } from './collectors.js';
import type { MetricRegistry } from './metric-registry.js';

/** What a connection pool tells of itself, as those of `pg` do. */
export interface ConnectionPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Adds the state of a pool of database connections; `pool` gives undefined while there is none. */
export function watchPool(registry: MetricRegistry, pool: () => ConnectionPool | undefined): void {
  const figures = (): Record<'busy' | 'idle' | 'waiting', number> | undefined => {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = pool() ?? {};
    return pool() === undefined
      ? undefined
      : { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  };
  registry.gauge(
    'db_pool_connections',
    'Connections of the database pool by state, and callers that wait for one',
    () => Object.entries(figures() ?? {}).map(([state, value]) => ({ labels: { state }, value })),
  );
  registry.addCollector({
    name: 'databasePool',
    collect: (): Figures => figures() ?? { busy: null, idle: null, waiting: null },
  });
}
