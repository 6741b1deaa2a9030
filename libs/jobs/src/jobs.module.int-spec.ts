import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule, SettingsStore } from '#libs/config';
import { Clock, SystemClock } from '#libs/core';
import {
  createContext,
  LoggingModule,
  MemoryLogDestination,
  RootLogger,
  runWithContext,
} from '#libs/logging';
import { PersistenceModule, persistenceSettings, redisSettings } from '#libs/persistence';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import {
  defineJob,
  ExpiredRowsPurger,
  JobHandler,
  JobQueue,
  type JobRun,
  JobsHealth,
  JobsModule,
  jobsSettings,
  PurgesExpiredRows,
  purgeExpired,
  Scheduled,
} from './index.js';
import { JobBrowser } from './job-browser.js';
import { until } from './testing/jobs-harness.js';

const count = defineJob({ name: 'count', schema: z.strictObject({ by: z.number() }) });
const lonely = defineJob({ name: 'lonely', schema: z.strictObject({}) });

@Injectable()
class Counter {
  total = 0;

  constructor(private readonly log: RootLogger) {}

  @JobHandler(count)
  async add({ by }: { by: number }, run: JobRun): Promise<number> {
    await run.reportProgress(1);
    this.total += by;
    this.log.module('counter').info('counted');
    return this.total;
  }
}

@Injectable()
class SecondCounter {
  @JobHandler(count)
  add(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
class Clockwork {
  @Scheduled({ everyMs: 1_000 })
  tick(): void {}
}

@PurgesExpiredRows()
class LeafPurger extends ExpiredRowsPurger {
  readonly owner = 'test.leaf';
  left = 2_500;
  limits: number[] = [];

  purgeBatch(limit: number): Promise<number> {
    const deleted = Math.min(limit, this.left);
    this.left -= deleted;
    this.limits.push(limit);
    return Promise.resolve(deleted);
  }
}

@PurgesExpiredRows()
class BrokenPurger extends ExpiredRowsPurger {
  readonly owner = 'test.broken';

  purgeBatch(): Promise<number> {
    return Promise.reject(new Error('the shears are blunt'));
  }
}

@PurgesExpiredRows()
class NoPurger {}

describe('JobsModule', () => {
  let database: TestDatabase;
  let log: MemoryLogDestination;
  const applications: INestApplicationContext[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await Promise.all(applications.splice(0).map((application) => application.close()));
    // An application that closes disconnects the data source that it was given.
    if (!database.dataSource.isInitialized) await database.dataSource.initialize();
    await database.dataSource.query('DROP SCHEMA IF EXISTS bullmq CASCADE');
  });

  afterAll(() => database.close());

  async function start(
    providers: readonly Type[],
    { workers = true, jobs = [] as (typeof lonely)[] } = {},
  ): Promise<INestApplicationContext> {
    @Module({
      imports: [JobsModule.forFeature({ jobs })],
      providers: [...providers],
      exports: [...providers],
    })
    class FeatureModule {}

    @Module({
      providers: [{ provide: Clock, useClass: SystemClock }],
      exports: [Clock],
    })
    class ClockModule {}

    log = new MemoryLogDestination();
    @Module({
      imports: [
        { module: ClockModule, global: true },
        ConfigModule.forRoot(new SettingsStore([jobsSettings, persistenceSettings, redisSettings])),
        LoggingModule.forRoot(new RootLogger({ service: 'test', destination: log })),
        PersistenceModule.forRoot(database.dataSource),
        JobsModule.forRoot({ workers, startDelayMs: 0 }),
        FeatureModule,
      ],
    })
    class RootModule {}

    const application = await NestFactory.createApplicationContext(RootModule, {
      logger: false,
      abortOnError: false,
    });
    applications.push(application);
    return application;
  }

  it('runs a method with @JobHandler on its own instance', async () => {
    const application = await start([Counter]);
    const queue = application.get(JobQueue);
    await queue.enqueue(count, { by: 2 });
    await queue.enqueue(count, { by: 3 });
    await until(() => application.get(Counter).total === 5, 'both have run');
  });

  it('has the id of the enqueueing request in the lines of the job', async () => {
    const application = await start([Counter]);
    await runWithContext(createContext({ requestId: 'req-7' }), () =>
      application.get(JobQueue).enqueue(count, { by: 1 }),
    );
    await until(() => application.get(Counter).total === 1, 'it has run');
    expect(log.records).toContainEqual(
      expect.objectContaining({ module: 'counter', msg: 'counted', requestId: 'req-7' }),
    );
  });

  it('leaves jobs to other processes when it runs no workers', async () => {
    const application = await start([Counter], { workers: false });
    const { id } = await application.get(JobQueue).enqueue(count, { by: 1 });
    const report = await application.get(JobsHealth).check();
    expect(report).toMatchObject({ status: 'up', store: 'postgres', serving: [] });
    expect((await application.get(JobBrowser).get(id)).state).toBe('waiting');
    await until(async () => (await start([Counter])) !== undefined, 'another process started');
    await until(
      async () => (await application.get(JobBrowser).get(id)).state === 'completed',
      'the other has run it',
    );
  });

  it.each([
    ['a declared job has no handler', [], [lonely], /"lonely" has no handler/],
    [
      'a job has two handlers',
      [Counter, SecondCounter],
      [],
      /2 handlers: Counter\.add and SecondCounter\.add/,
    ],
    [
      'a schedule stands on a method that handles no job',
      [Clockwork],
      [],
      /Clockwork\.tick has @Scheduled but handles no job/,
    ],
    ['a purger is none', [NoPurger], [], /NoPurger .* does not extend ExpiredRowsPurger/],
  ])('does not start when %s', async (_, providers, jobs, message) => {
    await expect(start(providers as Type[], { jobs })).rejects.toThrow(message);
  });

  describe('the purge of expired rows', () => {
    it('runs by itself, every purger in bounded batches, and tells how many rows each deleted', async () => {
      const application = await start([LeafPurger]);
      const browser = application.get(JobBrowser);
      const completed = async () => (await browser.list({ state: 'completed' }, 10)).items;
      await until(async () => (await completed()).length === 1, 'it is done');
      const [job] = await completed();
      expect((await browser.get(job?.id ?? '')).result).toEqual({ 'test.leaf': 2_500 });
      expect(application.get(LeafPurger).limits).toEqual([1_000, 1_000, 1_000]);
    });

    it('goes on with the others when one fails, and fails in the end', async () => {
      const application = await start([BrokenPurger, LeafPurger]);
      const browser = application.get(JobBrowser);
      await application.get(JobQueue).enqueue(purgeExpired, {});
      await until(() => application.get(LeafPurger).left === 0, 'the other has run');
      await until(
        async () =>
          (await browser.list({ state: 'delayed', name: 'purge-expired' }, 10)).items.some(
            ({ failedReason }) => failedReason?.includes('test.broken: the shears are blunt'),
          ),
        'it waits for its next attempt',
      );
    });
  });
});
