import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { CacheStrategies, EvictionPolicyRegistry, StrategyRegistry } from '#libs/cache';
import { MemoryLogDestination, NestLoggerService, RootLogger } from '#libs/logging';
import { persistenceSettings } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { openDatabase } from '../../apps/shared/src/open-database.js';
import { PlatformModule } from '../../apps/shared/src/platform.module.js';
import { ChangeProposer } from '../../libs/cache/src/strategies/optimiser/change-proposer.js';
import { StrategyOptimiser } from '../../libs/cache/src/strategies/optimiser/strategy-optimiser.js';
import { EvictionAdvisor } from '../../libs/cache/src/strategies/planning/eviction-advisor.js';
import { WorkloadAnalyser } from '../../libs/cache/src/strategies/workload/workload-analyser.js';
import { TravellingClock } from '../support/app.js';
import { cloneTemplate } from '../support/database.js';

const BY = 'test';
const accesses = Array.from({ length: 600 }, (_, at) => ({
  key: `key:${Math.floor((((at * 7_919) % 600) / 600) ** 3 * 150)}`,
  atMs: at,
  bytes: 500,
}));

describe('the parts of the strategies', () => {
  let database: Awaited<ReturnType<typeof cloneTemplate>>;
  let module: TestingModule;
  let log: MemoryLogDestination;

  beforeEach(async () => {
    database = await cloneTemplate();
  });
  afterEach(async () => {
    const dataSource = module.get(DataSource);
    await module.close();
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.drop();
  });

  /** The platform with some parts replaced. */
  async function start(
    replace: (builder: TestingModuleBuilder) => TestingModuleBuilder,
  ): Promise<CacheStrategies> {
    const { store } = await loadSettings({
      DATABASE_URL: database.url,
      PANTHEON_DATABASE_POOL_SIZE: '5',
      PANTHEON_CACHE_STRATEGY_OPTIMIZE_WINDOW_MS: '50',
    });
    log = new MemoryLogDestination();
    const settings = store.get(persistenceSettings);
    const platform = {
      clock: new TravellingClock(),
      store,
      log: new RootLogger({ service: 'test', destination: log }),
      watcher: null,
      dataSource: await openDatabase(database.url, settings, 'pantheon-test'),
      databaseUrl: database.url,
      embedded: false,
      close: () => Promise.resolve(),
    };
    const builder = Test.createTestingModule({ imports: [PlatformModule.forRoot(platform)] });
    module = await replace(builder).compile();
    module.useLogger(new NestLoggerService(platform.log));
    await module.init();
    return module.get(CacheStrategies);
  }

  const current = (name: string) => module.get(StrategyRegistry).get(name).current;

  async function readMuch(name: string): Promise<void> {
    const store = module.get(StrategyRegistry).get(name);
    for (const { key } of accesses) await store.getOrSet(key, () => 'x'.repeat(500));
  }

  it('takes back a change that made it worse, and says so', async () => {
    /** Claims that a random choice of victims in little room is best. */
    class LyingProposer extends ChangeProposer {
      override async propose(type: Parameters<ChangeProposer['propose']>[0]) {
        if (type === 'policy') return { change: { policy: 'random' }, reason: 'Trust me.' };
        if (type === 'size') return { change: { maxBytes: 65_536 }, reason: 'Less is more.' };
        return undefined;
      }
    }
    const strategies = await start((builder) =>
      builder.overrideProvider(ChangeProposer).useClass(LyingProposer),
    );
    const configuration = { policy: 'lru', maxBytes: 100_000 };
    await strategies.createCacheStrategy({ name: 'victim', type: 'memory', configuration, by: BY });
    await readMuch('victim');
    const result = await strategies.optimizeCachePerformance('victim', [], BY);
    expect(result).toMatchObject({ optimizationsApplied: [], improvement: 0, latencyReduction: 0 });
    expect(result.rolledBack).toMatchObject([
      { type: 'policy', to: { policy: 'random' }, outcome: 'rolled-back' },
      { type: 'size', to: { maxBytes: 65_536 }, outcome: 'rolled-back' },
    ]);
    expect(current('victim').configuration).toMatchObject(configuration);
    expect(current('victim').status).toBe('active');
    const skipped = await strategies.optimizeCachePerformance('victim', ['policy', 'size'], BY);
    expect(skipped.rolledBack).toEqual([]);
  });

  it('is as it was when an optimisation fails half-way', async () => {
    class BreakingProposer extends ChangeProposer {
      override async propose(type: Parameters<ChangeProposer['propose']>[0]) {
        if (type === 'size') return { change: { maxBytes: 1_000_000 }, reason: 'More.' };
        if (type === 'ttl') throw new Error('The proposer broke.');
        return undefined;
      }
    }
    const strategies = await start((builder) =>
      builder.overrideProvider(ChangeProposer).useClass(BreakingProposer),
    );
    const configuration = { maxBytes: 100_000 };
    await strategies.createCacheStrategy({ name: 'half', type: 'memory', configuration, by: BY });
    await readMuch('half');
    await expect(strategies.optimizeCachePerformance('half', [], BY)).rejects.toThrow('broke');
    expect(current('half')).toMatchObject({ status: 'active', configuration });
  });

  it('lets analyser, evictor and optimiser be replaced', async () => {
    class FixedAdvisor extends EvictionAdvisor {
      override async advise(...asked: Parameters<EvictionAdvisor['advise']>) {
        const advice = await super.advise(...asked);
        return { ...advice, best: { ...advice.best, policy: 'mine', maxBytes: 123_456 } };
      }
    }
    const analysed: number[] = [];
    class WatchedAnalyser extends WorkloadAnalyser {
      override analyse(...asked: Parameters<WorkloadAnalyser['analyse']>) {
        analysed.push(asked[0].reads.length);
        return super.analyse(...asked);
      }
    }
    const policies = new EvictionPolicyRegistry();
    policies.registerScore('mine', ({ hits }) => hits);
    const optimise = () => Promise.reject(new Error('not today'));
    const strategies = await start((builder) =>
      builder
        .overrideProvider(EvictionAdvisor)
        .useClass(FixedAdvisor)
        .overrideProvider(WorkloadAnalyser)
        .useClass(WatchedAnalyser)
        .overrideProvider(EvictionPolicyRegistry)
        .useValue(policies)
        .overrideProvider(StrategyOptimiser)
        .useValue({ optimise }),
    );
    const workload = { accesses, samples: [] };
    const { store } = await strategies.createCacheStrategy({ name: 'fixed', workload, by: BY });
    expect(store.current.configuration).toMatchObject({ policy: 'mine', maxBytes: 123_456 });
    expect(analysed).toEqual([600]);
    await expect(strategies.optimizeCachePerformance('fixed', [], BY)).rejects.toThrow('not today');
    await store.set('a', 1);
    expect(store.policyState()).toMatchObject({ inForce: 'mine' });
    expect(log.lines.length).toBeGreaterThan(0);
  });
});
