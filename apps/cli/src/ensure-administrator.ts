import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AdministratorBootstrap, AuthModule } from '#libs/auth';
import { ConfigModule } from '#libs/config';
import { Clock, SystemClock } from '#libs/core';
import { createRootLogger, LoggingModule, type RootLogger } from '#libs/logging';
import { DataSource } from 'typeorm';
import type { CommandIo } from './command-spec.js';
import type { OpenDatabase } from './with-database.js';

/** Standard output belongs to the outcome. */
const STDERR = 2;

/** Makes the first administrator, as the first start of the API does, and tells the password. */
export async function ensureAdministrator(database: OpenDatabase, io: CommandIo): Promise<void> {
  const log = createRootLogger(database.store, { service: 'cli', fd: STDERR });
  log.setLevels({ default: 'warn' });
  const app = await NestFactory.createApplicationContext(AccountsModule.forRoot(database, log), {
    logger: false,
    abortOnError: false,
  });
  try {
    const { email, generatedPassword } = await app.get(AdministratorBootstrap).ensure();
    if (generatedPassword === undefined) return;
    io.stderr.write(
      'The first administrator was created. The password is shown this once:\n' +
        `  Email      ${email}\n  Password   ${generatedPassword}\n\n`,
    );
  } finally {
    await app.close();
    await log.flush();
  }
}

/** Accounts on a database that stays open when this is closed. */
@Module({})
class AccountsModule {
  static forRoot({ store, dataSource }: OpenDatabase, log: RootLogger): DynamicModule {
    return {
      module: AccountsModule,
      global: true,
      imports: [ConfigModule.forRoot(store), LoggingModule.forRoot(log), AuthModule],
      providers: [
        { provide: Clock, useClass: SystemClock },
        { provide: DataSource, useValue: dataSource },
      ],
      exports: [Clock, DataSource],
    };
  }
}
