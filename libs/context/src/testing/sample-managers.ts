import { ManualClock } from '#libs/core';
import type { ContextSource } from '../port/context-port.js';
import type { DualStoreManager } from '../port/dual-store-manager.js';
import {
  makePantheonPersistenceAdapter,
  type PantheonPersistenceDependencies,
} from '../port/pantheon-persistence-adapter.js';
import type { NewEntry } from '../port/store-entry.js';
import { InMemoryDualStoreManager } from './in-memory-dual-store-manager.js';

const clock = new ManualClock(Date.UTC(2026, 4, 1, 12));
/** A minute of the past: 0 is a thousand minutes ago, 1,000 is now. */
export const minute = (count: number): Date => new Date(clock.nowMs() - (1000 - count) * 60_000);
/** What is asked of a manager, by its name. */
export const source = (id: string, where?: Record<string, unknown>): ContextSource =>
  where === undefined ? { id, label: id } : { id, label: id, where };

/** A manager that has these entries, searchable at once. */
export async function manager(
  name: string,
  entries: readonly NewEntry[],
): Promise<DualStoreManager> {
  const made = new InMemoryDualStoreManager({ name, clock });
  for (const entry of entries) await made.insert(entry);
  made.settle();
  return made;
}

/** Entries of an assistant, a minute apart. */
export function remarks(count: number, text: (index: number) => string): NewEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    text: text(index),
    role: 'assistant' as const,
    occurredAt: minute(index),
  }));
}

export function adapterOf(
  managers: readonly DualStoreManager[],
  more: Partial<PantheonPersistenceDependencies> = {},
) {
  return makePantheonPersistenceAdapter({
    getStoreManagers: () => Promise.resolve([...managers]),
    ...more,
  });
}

export const contents = (messages: readonly { content: string }[]): string[] =>
  messages.map(({ content }) => content);
