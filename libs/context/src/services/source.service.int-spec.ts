import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { sourceChanged, type SourceChange } from '../events.js';
import { ContextFixture, principal } from '../testing/context-fixture.js';
import type { SourceService } from './source.service.js';

let database: TestDatabase;
let fixture: ContextFixture;
let sources: SourceService;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  fixture = new ContextFixture(database.dataSource);
  ({ sources } = fixture.context);
});
afterEach(() => fixture.close());

const make = (name: string, more: object = {}, who = fixture.user) =>
  sources.create(who, { name, kind: 'document', ...more });

describe('sources', () => {
  it('are personal and labelled by their name unless said otherwise', async () => {
    expect(await make('notes')).toEqual({
      id: expect.any(String),
      ownerId: fixture.user.userId,
      name: 'notes',
      label: 'notes',
      kind: 'document',
      scope: 'personal',
      retentionDays: null,
      cacheRule: null,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
    });
  });

  it('are found by id and by name', async () => {
    const made = await make('notes');
    expect(await sources.get(fixture.user, 'notes')).toEqual(made);
    expect(await sources.get(fixture.user, made.id)).toEqual(made);
  });

  it('have names of their own: each user’s personal ones, and the shared ones', async () => {
    const sibling = principal(fixture.user.organizationId);
    await make('notes');
    await expect(make('notes')).rejects.toMatchObject({
      code: 'SOURCE_NAME_TAKEN',
      kind: 'conflict',
    });
    await make('notes', {}, sibling);
    await make('notes', { scope: 'team' });
    await expect(make('notes', { scope: 'organization' }, sibling)).rejects.toMatchObject({
      code: 'SOURCE_NAME_TAKEN',
    });
    await make('notes', { scope: 'team' }, principal());
    await make('other');
    await expect(sources.update(fixture.user, 'other', { name: 'notes' })).rejects.toMatchObject({
      code: 'SOURCE_NAME_TAKEN',
    });
  });

  it('are listed by name in pages, only those that may be read', async () => {
    for (const name of ['d', 'b', 'a', 'c', 'e']) await make(name);
    await make('hidden', {}, principal(fixture.user.organizationId));
    await make('hidden', { scope: 'team' }, principal());
    fixture.access.forbidden.add('read source:b').add('read source:c');
    const first = await sources.list(fixture.user, { limit: 2 });
    expect(first.items.map(({ name }) => name)).toEqual(['a', 'd']);
    const second = await sources.list(fixture.user, {
      limit: 2,
      cursor: first.nextCursor ?? undefined,
    });
    expect(second.items.map(({ name }) => name)).toEqual(['e']);
    expect(second.nextCursor).toBeNull();
    expect((await sources.list(fixture.user, { limit: 3 })).nextCursor).toBeNull();
  });

  it('change only in what is stated, and tell of it', async () => {
    const changes: SourceChange[] = [];
    const stop = sourceChanged.subscribe((change) => changes.push(change));
    const { id } = await make('notes', {
      label: 'Notes',
      retentionDays: 7,
      cacheRule: { ttlMs: 5 },
    });
    expect(await sources.update(fixture.user, 'notes', { kind: 'log' })).toMatchObject({
      label: 'Notes',
      kind: 'log',
      retentionDays: 7,
      cacheRule: { ttlMs: 5 },
    });
    expect(
      await sources.update(fixture.user, id, {
        name: 'diary',
        retentionDays: null,
        cacheRule: null,
      }),
    ).toMatchObject({ id, name: 'diary', kind: 'log', retentionDays: null, cacheRule: null });
    await sources.delete(fixture.user, 'diary');
    stop();
    expect(changes.map(({ sourceId, change }) => [sourceId === id, change])).toEqual([
      [true, 'configured'],
      [true, 'configured'],
      [true, 'configured'],
      [true, 'deleted'],
    ]);
  });

  it('take their entries and index with them when they are deleted', async () => {
    const { id } = await fixture.source('notes', ['One', 'Two']);
    await sources.delete(fixture.user, id);
    const rows = await database.dataSource.query(
      `SELECT FROM context_entry WHERE source_id = $1
       UNION ALL SELECT FROM entry_index WHERE source_id = $1`,
      [id],
    );
    expect(rows).toEqual([]);
  });

  it('of others cannot be seen, changed or deleted, by id or name', async () => {
    const { id } = await make('mine');
    for (const stranger of [principal(fixture.user.organizationId), principal()]) {
      for (const name of ['mine', id]) {
        for (const attempt of [
          () => sources.get(stranger, name),
          () => sources.update(stranger, name, { label: 'theirs' }),
          () => sources.delete(stranger, name),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
        }
      }
    }
  });

  it.each(['', 'a b', 'a/b', '../x', 'ä', 'x'.repeat(129), "'; DROP", newId()])(
    'are not found under %j',
    async (name) => {
      await expect(sources.get(fixture.user, name)).rejects.toMatchObject({
        code: 'SOURCE_NOT_FOUND',
      });
    },
  );

  it('ask for the permission on their name before anything else', async () => {
    for (const action of ['read', 'manage', 'delete']) {
      fixture.access.forbidden.add(`${action} source:none`);
    }
    fixture.access.forbidden.add('create source');
    const refused = { code: 'SOURCE_FORBIDDEN', kind: 'forbidden' };
    await expect(sources.get(fixture.user, 'none')).rejects.toMatchObject(refused);
    await expect(sources.update(fixture.user, 'none', {})).rejects.toMatchObject(refused);
    await expect(sources.delete(fixture.user, 'none')).rejects.toMatchObject(refused);
    await expect(make('new')).rejects.toMatchObject(refused);
  });
});
