import { type AccessControl, isError, isUuid, newId, type Principal } from '#libs/core';
import { decodeCursor, encodeCursor, type Page, type PageQuery } from '#libs/http';
import { z } from 'zod';
import type { SourceCache } from '../caching/source-cache.js';
import type { SourceInvalidation } from '../caching/source-invalidation.js';
import { SourceForbiddenError } from '../errors/source-forbidden.error.js';
import { SourceNameTakenError } from '../errors/source-name-taken.error.js';
import { SourceNotFoundError } from '../errors/source-not-found.error.js';
import type { ContextDatabase } from '../store/database.js';
import {
  deleteSource,
  findSourceById,
  findSourcesByName,
  insertSource,
  listSources,
  type SourceRow,
  updateSource,
} from '../store/source.queries.js';
import type { NewSource, SourceChanges, SourceView } from './views.js';

/** What a caller can do with a source. */
export type SourceAction = 'read' | 'write' | 'delete' | 'manage';

const UNIQUE_VIOLATION = '23505';
const cursorSchema = z.tuple([z.string(), z.uuid()]);

/**
 * Sources, as far as a principal may see and use them. Permission is asked on the resource
 * `source:NAME` before anything is looked up, so that a refusal tells nothing about what exists;
 * sources of other organizations, and personal ones of other users, are never found.
 */
export class SourceService {
  constructor(
    private readonly database: ContextDatabase,
    private readonly access: AccessControl,
    private readonly cached: SourceCache,
    private readonly changes: SourceInvalidation,
  ) {}

  /** @throws SourceForbiddenError, SourceNameTakenError */
  async create(principal: Principal, input: NewSource): Promise<SourceView> {
    this.require(principal, 'source', 'create');
    const row = await insertSource(this.database, {
      id: newId(),
      organizationId: principal.organizationId,
      ownerId: principal.userId,
      name: input.name,
      label: input.label ?? input.name,
      kind: input.kind,
      scope: input.scope ?? 'personal',
      retentionDays: input.retentionDays ?? null,
      cacheRule: input.cacheRule ?? null,
    });
    if (row === undefined) throw new SourceNameTakenError(input.name);
    await this.changes.configured(row);
    return toView(row);
  }

  /** The sources that the principal may read, by name. */
  async list(principal: Principal, query: PageQuery): Promise<Page<SourceView>> {
    const items: SourceView[] = [];
    let after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, cursorSchema);
    for (;;) {
      const rows = await listSources(this.database, principal, after, query.limit + 1);
      for (const row of rows) {
        if (!this.access.isAllowed(principal, resourceOf(row.name), 'read')) continue;
        const last = items.at(-1);
        if (items.length === query.limit && last !== undefined) {
          return { items, nextCursor: encodeCursor([last.name, last.id]) };
        }
        items.push(toView(row));
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length <= query.limit) return { items, nextCursor: null };
      after = [last.name, last.id];
    }
  }

  /** @throws SourceForbiddenError, SourceNotFoundError */
  async get(principal: Principal, idOrName: string): Promise<SourceView> {
    return toView(await this.resolve(principal, idOrName, 'read'));
  }

  /** @throws SourceForbiddenError, SourceNotFoundError, SourceNameTakenError */
  async update(
    principal: Principal,
    idOrName: string,
    changes: SourceChanges,
  ): Promise<SourceView> {
    const source = await this.resolve(principal, idOrName, 'manage');
    if (changes.name !== undefined) this.require(principal, resourceOf(changes.name), 'manage');
    const changed = await this.save({
      id: source.id,
      name: changes.name ?? source.name,
      label: changes.label ?? source.label,
      kind: changes.kind ?? source.kind,
      retentionDays:
        changes.retentionDays === undefined ? source.retentionDays : changes.retentionDays,
      cacheRule: changes.cacheRule === undefined ? source.cacheRule : changes.cacheRule,
    });
    if (changed === undefined) throw new SourceNotFoundError(idOrName);
    const { nameBefore, ...row } = changed;
    await this.changes.configured(row, nameBefore);
    return toView(row);
  }

  /** Deletes a source with all its entries. @throws SourceForbiddenError, SourceNotFoundError */
  async delete(principal: Principal, idOrName: string): Promise<void> {
    const source = await this.resolve(principal, idOrName, 'delete');
    const deleted = await deleteSource(this.database, source.id);
    // Somebody else may have been first, and be telling of it still.
    await this.changes.deleted(deleted ?? source);
  }

  /**
   * The source of an id or a name, for an action that the principal is allowed.
   * @throws SourceForbiddenError, SourceNotFoundError
   */
  async resolve(principal: Principal, idOrName: string, action: SourceAction): Promise<SourceRow> {
    if (!isUuid(idOrName)) {
      const [source] = await this.resolveAll(principal, [idOrName], action);
      if (source === undefined) throw new SourceNotFoundError(idOrName);
      return source;
    }
    const source = await findSourceById(this.database, principal, idOrName);
    if (source === undefined) throw new SourceNotFoundError(idOrName);
    this.require(principal, resourceOf(source.name), action);
    return source;
  }

  /**
   * The sources of some names, in their order, in one query.
   * @throws SourceForbiddenError, SourceNotFoundError for the first that cannot be used
   */
  async resolveAll(
    principal: Principal,
    names: readonly string[],
    action: SourceAction,
  ): Promise<SourceRow[]> {
    this.requireAll(principal, names, action);
    const rows = await findSourcesByName(this.database, principal, names);
    const byName = new Map(rows.map((row) => [row.name, row]));
    return names.map((name) => {
      const row = byName.get(name);
      if (row === undefined) throw new SourceNotFoundError(name);
      return row;
    });
  }

  /**
   * As `resolveAll`, from memory where it can be: for what is read with every request. The
   * permission is asked each time.
   */
  async resolveCached(
    principal: Principal,
    names: readonly string[],
    action: SourceAction,
  ): Promise<SourceRow[]> {
    this.requireAll(principal, names, action);
    const rows = await this.cached.find(principal, names);
    return names.map((name, index) => {
      const row = rows[index];
      if (row === undefined) throw new SourceNotFoundError(name);
      return row;
    });
  }

  /** @throws SourceForbiddenError, or SourceNotFoundError for what cannot be a name */
  private requireAll(principal: Principal, names: readonly string[], action: SourceAction): void {
    for (const name of names) {
      if (!SOURCE_NAME.test(name)) throw new SourceNotFoundError(name);
      this.require(principal, resourceOf(name), action);
    }
  }

  private async save(changed: Parameters<typeof updateSource>[1]): ReturnType<typeof updateSource> {
    try {
      return await updateSource(this.database, changed);
    } catch (error) {
      if (isError(error) && 'code' in error && error.code === UNIQUE_VIOLATION) {
        throw new SourceNameTakenError(changed.name);
      }
      throw error;
    }
  }

  private require(principal: Principal, resource: string, action: string): void {
    if (!this.access.isAllowed(principal, resource, action)) {
      throw new SourceForbiddenError(resource, action);
    }
  }
}

const SOURCE_NAME = /^[A-Za-z0-9_-]{1,128}$/;

function resourceOf(name: string): string {
  return `source:${name}`;
}

function toView(row: SourceRow): SourceView {
  const { organizationId: _, ...view } = row;
  return view;
}
