import { type DynamicModule, Module } from '@nestjs/common';
import { METRICS_SERVICE_NAME, Metrics } from './metrics.service.js';

export interface MetricsModuleOptions {
  /** Which program this is: `api`, `worker`. */
  readonly service: string;
}

/** Makes `Metrics` injectable everywhere. Needs `SettingsStore` and `Clock`. */
@Module({})
export class MetricsModule {
  static forRoot({ service }: MetricsModuleOptions): DynamicModule {
    return {
      module: MetricsModule,
      global: true,
      providers: [{ provide: METRICS_SERVICE_NAME, useValue: service }, Metrics],
      exports: [Metrics],
    };
  }
}
