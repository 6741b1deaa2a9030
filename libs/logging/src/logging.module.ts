import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { RootLogger } from './root-logger.js';

/** Makes the program's log injectable everywhere as `RootLogger`, and flushes it at shutdown. */
@Module({})
export class LoggingModule implements OnApplicationShutdown {
  constructor(private readonly root: RootLogger) {}

  static forRoot(root: RootLogger): DynamicModule {
    return {
      module: LoggingModule,
      global: true,
      providers: [{ provide: RootLogger, useValue: root }],
      exports: [RootLogger],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.root.flush();
  }
}
