import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheEvict, CacheHub, CachePut } from '#libs/cache';
import { defineJob, JobHandler, JobQueue } from '#libs/jobs';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { z } from 'zod';
import { JobBrowser } from '../../libs/jobs/src/job-browser.js';
import { testRedisUrl } from '../support/database.js';
import { type CacheApp, createDatabase, startCacheApp } from './support/cache-app.js';

const renameOrder = defineJob({
  name: 'test-rename-order',
  schema: z.strictObject({ id: z.string(), text: z.string() }),
});

/** The database of the example, which all applications share. */
const rows = new Map<string, string>();
let seenUsers: (string | undefined)[] = [];

@Injectable()
class Orders {
  reads = 0;

  @Cacheable({ namespace: 'test.orders', key: 'order:{id}', ttlMs: 3_600_000 })
  async find(id: string): Promise<string | null> {
    this.reads += 1;
    return rows.get(id) ?? null;
  }

  @Cacheable({ tags: ['orders'], ttlMs: 3_600_000 })
  async count(): Promise<number> {
    this.reads += 1;
    return rows.size;
  }

  @Cacheable({ namespace: 'test.notes', key: 'note', varyBy: ['user', 'tenant'], version: 2 })
  async note(): Promise<string> {
    this.reads += 1;
    return `${currentContext()?.userId}: ${rows.get('note')}`;
  }

  @CacheEvict({ namespace: 'test.notes', key: 'note' })
  async write(note: string): Promise<void> {
    rows.set('note', note);
  }

  @CachePut({ namespace: 'test.orders', key: 'order:{id}' })
  @CacheEvict({ tags: ['orders'] })
  async save(id: string, text: string): Promise<string> {
    rows.set(id, text);
    return text;
  }
}

@Injectable()
class RenameJob {
  @JobHandler(renameOrder)
  @CacheEvict({ namespace: 'test.orders', key: 'order:{payload.id}' })
  async run(payload: { id: string; text: string }): Promise<string> {
    seenUsers.push(currentContext()?.userId);
    rows.set(payload.id, payload.text);
    return payload.text;
  }
}

describe.each(['PostgreSQL alone', 'Redis'])(
  'decorated methods in two applications on %s',
  (on) => {
    let database: Awaited<ReturnType<typeof createDatabase>>;
    const apps: CacheApp[] = [];

    afterEach(async () => {
      for (const app of apps.splice(0)) await app.stop();
      await database.drop();
      rows.clear();
      seenUsers = [];
    });

    async function startTwo(): Promise<[CacheApp, CacheApp]> {
      database = await createDatabase();
      const start = async (): Promise<CacheApp> => {
        const app = await startCacheApp({
          databaseUrl: database.url,
          providers: [Orders, RenameJob],
          environment: on === 'Redis' ? { REDIS_URL: testRedisUrl() } : {},
        });
        apps.push(app);
        return app;
      };
      return [await start(), await start()];
    }

    it('give nothing older than what a write in the other has returned', async () => {
      const [one, other] = await startTwo();
      for (let round = 1; round <= 10; round += 1) {
        const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one];
        await Promise.all([reader.get(Orders).find('7'), reader.get(Orders).count()]);
        await writer.get(Orders).save('7', `round ${round}`);
        rows.set(`more ${round}`, '');
        await writer.get(Orders).save('7', `round ${round}!`);
        await expect(reader.get(Orders).find('7')).resolves.toBe(`round ${round}!`);
        await expect(reader.get(Orders).count()).resolves.toBe(rows.size);
      }
    });

    it('share what one of them has loaded', async () => {
      const [one, other] = await startTwo();
      rows.set('7', 'seven');
      await one.get(Orders).find('7');
      await one.get(CacheHub).drain();
      await expect(other.get(Orders).find('7')).resolves.toBe('seven');
      expect(other.get(Orders).reads).toBe(0);
    });

    it('evict what a key holds for every user', async () => {
      const [one, other] = await startTwo();
      const noteFor = (app: CacheApp, userId: string) =>
        runWithContext(createContext({ userId, organizationId: 'o' }), () =>
          app.get(Orders).note(),
        );
      await one.get(Orders).write('first');
      for (const app of [one, other]) {
        await expect(noteFor(app, 'ann')).resolves.toBe('ann: first');
        await expect(noteFor(app, 'bob')).resolves.toBe('bob: first');
      }
      await one.get(Orders).write('second');
      for (const app of [one, other]) {
        await expect(noteFor(app, 'ann')).resolves.toBe('ann: second');
        await expect(noteFor(app, 'bob')).resolves.toBe('bob: second');
      }
    });

    it('evict when a job runs them, in whichever process that is', async () => {
      const [one, other] = await startTwo();
      rows.set('7', 'old');
      await Promise.all([one, other].map((app) => app.get(Orders).find('7')));
      const { id } = await runWithContext(createContext({ userId: 'ann' }), () =>
        one.get(JobQueue).enqueue(renameOrder, { id: '7', text: 'new' }),
      );
      while ((await one.get(JobBrowser).get(id)).state !== 'completed') await sleep(25);
      for (const app of [one, other]) {
        await expect(app.get(Orders).find('7')).resolves.toBe('new');
      }
      expect(seenUsers).toEqual(['ann']);
    });
  },
);
