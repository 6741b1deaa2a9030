import 'reflect-metadata';
import { appendFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule, SettingsStore } from '#libs/config';
import { Clock, SystemClock } from '#libs/core';
import { JobHandler, type JobRun, JobsModule, jobsSettings } from '#libs/jobs';
import { LoggingModule, MemoryLogDestination, RootLogger } from '#libs/logging';
import {
  createDataSource,
  PersistenceModule,
  persistenceSettings,
  redisSettings,
} from '#libs/persistence';
import { longJob, type LongJobPayload } from './long-job.js';

/** A process that runs one job, which lasts until a file appears, and writes down what it does. */
@Injectable()
class LongJobHandler {
  @JobHandler(longJob)
  async run({ journal, untilFile }: LongJobPayload, run: JobRun): Promise<void> {
    await appendFile(journal, `started by ${process.pid}, attempt ${run.attempt}\n`);
    while (!existsSync(untilFile)) {
      run.signal.throwIfAborted();
      await sleep(10);
    }
    await appendFile(journal, `finished by ${process.pid}\n`);
  }
}

const store = new SettingsStore([jobsSettings, persistenceSettings, redisSettings], {
  environment: process.env,
});
const settings = store.get(persistenceSettings);
const parts = { entities: [], migrations: [] };
const dataSource = createDataSource(settings.url ?? '', settings, parts, 'jobs-test-worker');
await dataSource.initialize();

@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
class ClockModule {}

@Module({
  imports: [
    { module: ClockModule, global: true },
    ConfigModule.forRoot(store),
    LoggingModule.forRoot(
      new RootLogger({ service: 'test', destination: new MemoryLogDestination() }),
    ),
    PersistenceModule.forRoot(dataSource),
    JobsModule.forRoot({ workers: true, startDelayMs: 0 }),
  ],
  providers: [LongJobHandler],
})
class ProgramModule {}

const application = await NestFactory.createApplicationContext(ProgramModule, {
  logger: false,
  abortOnError: false,
});
process.on('SIGTERM', () => {
  void application.close().then(() => process.exit(0));
});
process.stdout.write('ready\n');
