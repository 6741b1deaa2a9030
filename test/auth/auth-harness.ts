import type { INestApplicationContext, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthModule } from '#libs/auth';
import { ConfigModule, SettingsStore } from '#libs/config';
import { Clock, ManualClock } from '#libs/core';
import { LoggingModule, MemoryLogDestination, RootLogger } from '#libs/logging';
import { DataSource } from 'typeorm';
import { allSettings } from '../../apps/shared/src/all-settings.js';

/** One process's services of libs/auth, on a real database and a clock that the test moves. */
export interface AuthHarness {
  readonly clock: ManualClock;
  readonly settings: SettingsStore;
  readonly log: MemoryLogDestination;
  get<Service>(type: Type<Service> | (abstract new (...args: never[]) => Service)): Service;
  close(): Promise<void>;
}

export interface AuthHarnessOptions {
  readonly dataSource: DataSource;
  readonly clock?: ManualClock;
  /** Settings of the section `auth`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Starts the services as one process would; start several for several processes. */
export async function startAuth(options: AuthHarnessOptions): Promise<AuthHarness> {
  const { dataSource, clock = new ManualClock(Date.now()) } = options;
  const settings = new SettingsStore(allSettings, { overrides: { auth: options.settings ?? {} } });
  const log = new MemoryLogDestination();

  @Module({})
  class ProcessModule {}

  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    {
      module: ProcessModule,
      global: true,
      imports: [
        ConfigModule.forRoot(settings),
        LoggingModule.forRoot(new RootLogger({ service: 'test', destination: log })),
        AuthModule,
      ],
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: Clock, useValue: clock },
      ],
      exports: [DataSource, Clock],
    },
    { logger: false, abortOnError: false },
  );
  return {
    clock,
    settings,
    log,
    get: (type) => app.get(type as Type, { strict: false }),
    close: () => app.close(),
  };
}
