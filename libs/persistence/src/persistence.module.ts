import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';

/**
 * Makes a data source injectable everywhere: `DataSource`, `EntityManager` and, through
 * `TypeOrmModule.forFeature`, repositories. Whoever opened it disconnects it, after the
 * application has closed: modules write to it until their last moment, and Nest would close them
 * in an order of its own.
 */
@Module({})
export class PersistenceModule {
  static forRoot(dataSource: DataSource): DynamicModule {
    return {
      module: PersistenceModule,
      global: true,
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: EntityManager, useValue: dataSource.manager },
      ],
      exports: [DataSource, EntityManager],
    };
  }
}
