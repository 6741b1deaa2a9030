import { BackgroundTasks, type Clock } from '#libs/core';
import { contextWarnings, sourceChanged } from '../events.js';
import type { SourceRow } from '../store/source.queries.js';
import type { SourceCache } from './source-cache.js';

/** Of a cache, what it takes to invalidate by tag. */
export interface TagInvalidator {
  invalidateTags(tags: readonly string[]): Promise<{ readonly acknowledged: boolean }>;
}

/** How long changes are gathered that nobody waits for. */
const GATHER_MS = 50;
const WARN_EVERY_MS = 10_000;

/** The tag of everything that was read from a source. */
export function tagOfSource(sourceId: string): string {
  return `source:${sourceId}`;
}

/** The tag of what was found by a name, which means another source once a nearer one has it. */
export function tagOfSourceName(name: string): string {
  return `source-name:${name}`;
}

/**
 * Tells of changes of sources, after their commit. When a promise of it resolves, no process serves
 * what was cached from the sources before; so a writer awaits it before it answers its client, who
 * then reads the write on every instance.
 *
 * Changes that come while an invalidation is under way go into the next one, together: a burst of
 * writes costs few. It never fails a write: what the other processes have not confirmed is repeated
 * by the cache until they have, and is logged.
 */
export class SourceInvalidation {
  private next: { readonly tags: Set<string>; readonly done: Promise<void> } | undefined;
  private last: Promise<void> = Promise.resolve();
  private readonly gathered = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private readonly tasks = new BackgroundTasks(() => undefined);
  private unconfirmed = 0;
  private warnedAtMs = -Infinity;

  constructor(
    private readonly caches: TagInvalidator | undefined,
    private readonly sources: SourceCache,
    private readonly clock: Clock,
  ) {}

  /** A source is new, or was configured anew and may have had another name. */
  async configured(source: SourceRow, nameBefore = source.name): Promise<void> {
    sourceChanged.publish(() => ({ sourceId: source.id, change: 'configured' }));
    await this.forget([
      source,
      ...(nameBefore === source.name ? [] : [{ ...source, name: nameBefore }]),
    ]);
  }

  /** A source was deleted. */
  async deleted(source: SourceRow): Promise<void> {
    sourceChanged.publish(() => ({ sourceId: source.id, change: 'deleted' }));
    await this.forget([source]);
  }

  /** Entries of sources, or their search index, were written or deleted. */
  async entries(sourceIds: readonly string[]): Promise<void> {
    for (const sourceId of sourceIds) {
      sourceChanged.publish(() => ({ sourceId, change: 'entries' }));
    }
    await this.invalidate(sourceIds.map(tagOfSource));
  }

  /** As `entries`, within a twentieth of a second and without waiting; for parts of a longer write. */
  entriesSoon(sourceId: string): void {
    this.gathered.add(sourceId);
    this.timer ??= setTimeout(() => this.tasks.run(() => this.flush()), GATHER_MS).unref();
  }

  /** Tells what was gathered and waits for it. May be called twice. */
  async close(): Promise<void> {
    await this.flush();
    await this.tasks.drain();
    await this.last;
  }

  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ids = [...this.gathered];
    this.gathered.clear();
    if (ids.length > 0) await this.entries(ids);
  }

  private async forget(sources: readonly SourceRow[]): Promise<void> {
    await Promise.all([
      this.confirm(() => this.sources.forget(sources)),
      this.invalidate(sources.flatMap(({ id, name }) => [tagOfSource(id), tagOfSourceName(name)])),
    ]);
  }

  private invalidate(tags: readonly string[]): Promise<void> {
    const { caches } = this;
    if (caches === undefined || tags.length === 0) return Promise.resolve();
    if (this.next === undefined) {
      const gathered = new Set<string>();
      const done = this.last.then(() => {
        this.next = undefined;
        return this.confirm(() => caches.invalidateTags([...gathered]));
      });
      this.last = done;
      this.next = { tags: gathered, done };
    }
    for (const tag of tags) this.next.tags.add(tag);
    return this.next.done;
  }

  private async confirm(
    invalidate: () => Promise<{ readonly acknowledged: boolean }>,
  ): Promise<void> {
    try {
      if (!(await invalidate()).acknowledged) this.warn(undefined);
    } catch (error) {
      this.warn(error);
    }
  }

  /** An outage is told of now and then, not with every write. */
  private warn(error: unknown): void {
    this.unconfirmed += 1;
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.warnedAtMs + WARN_EVERY_MS) return;
    const count = this.unconfirmed;
    this.warnedAtMs = nowMs;
    this.unconfirmed = 0;
    contextWarnings.publish(() => ({
      code: 'CONTEXT_INVALIDATION_UNCONFIRMED',
      message:
        `Changes of sources were stored, but ${count === 1 ? 'one was' : `${count} were`} not ` +
        'confirmed by every process in time; the cache goes on telling them.',
      error,
    }));
  }
}
