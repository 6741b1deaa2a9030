import { afterAll, beforeAll } from '@jest/globals';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture, SwitchableEmbeddings } from '../testing/context-fixture.js';
import { describeDualStoreManager } from '../testing/dual-store-manager.contract.js';
import { PostgresDualStoreManager } from './postgres-dual-store-manager.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

describeDualStoreManager('PostgresDualStoreManager', () => {
  const embeddings = new SwitchableEmbeddings();
  const fixtures: ContextFixture[] = [];
  return Promise.resolve({
    async createManager(consistency) {
      const fixture = new ContextFixture(database.dataSource, {
        embeddings,
        settings: { consistency },
      });
      fixtures.push(fixture);
      const name = `source-${newId().slice(-6)}`;
      const { id } = await fixture.source(name);
      return new PostgresDualStoreManager(
        name,
        { id, retentionDays: null },
        fixture.context.stores,
      );
    },
    failIndexWrites(message) {
      embeddings.failure = message === undefined ? undefined : new Error(message);
    },
    async settle() {
      for (const fixture of fixtures) await fixture.settle();
    },
    async close() {
      for (const fixture of fixtures) await fixture.close();
    },
  });
});
