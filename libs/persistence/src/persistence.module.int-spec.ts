import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, EntityManager, EntitySchema, type Repository } from 'typeorm';
import { cloneTemplate } from '../../../test/support/database.js';
import { PersistenceModule } from './persistence.module.js';

interface Note {
  readonly id: number;
  readonly text: string;
}

const noteSchema = new EntitySchema<Note>({
  name: 'note',
  columns: { id: { type: Number, primary: true }, text: { type: String } },
});

@Injectable()
class Notes {
  constructor(
    @InjectRepository(noteSchema) readonly repository: Repository<Note>,
    readonly manager: EntityManager,
    readonly dataSource: DataSource,
  ) {}
}

@Module({ imports: [TypeOrmModule.forFeature([noteSchema])], providers: [Notes] })
class NotesModule {}

describe('PersistenceModule', () => {
  let drop: () => Promise<void>;
  let dataSource: DataSource;

  beforeAll(async () => {
    const database = await cloneTemplate();
    drop = database.drop;
    const { url } = database;
    dataSource = new DataSource({
      type: 'postgres',
      url,
      entities: [noteSchema],
      synchronize: true,
    });
    await dataSource.initialize();
  });

  afterAll(async () => {
    await dataSource.destroy();
    await drop();
  });

  it('injects the data source, and repositories of it, and leaves it open at the end', async () => {
    @Module({ imports: [PersistenceModule.forRoot(dataSource), NotesModule] })
    class RootModule {}
    const application = await NestFactory.createApplicationContext(RootModule, { logger: false });
    const notes = application.get(Notes);
    expect(notes.dataSource).toBe(dataSource);
    expect(notes.manager).toBe(dataSource.manager);
    await notes.repository.insert({ id: 1, text: 'kept' });

    await application.close();

    // Who opened it closes it, when everybody else has ended.
    expect(dataSource.isInitialized).toBe(true);
    expect(await dataSource.getRepository(noteSchema).find()).toEqual([{ id: 1, text: 'kept' }]);
  });
});
