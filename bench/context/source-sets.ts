import { type DualStoreManager, PostgresDualStoreManager, type SourceView } from '#libs/context';
import type { BenchContext } from '../support/bench-context.js';
import { remarks } from './remarks.js';

/** Users, each of whom asks four sources: one is their own and one their team's. */
export const USERS = 1000;
const TEAMS = 20;
const ENTRIES_A_SOURCE = 3;

/** The sources that a user asks. */
export function setOf(user: number): string[] {
  return ['company', 'handbook', `team-${user % TEAMS}`, `user-${user}`];
}

/** Makes the sources of all users, with a few entries each, and gives their names. */
export async function makeSources({ context, user }: BenchContext): Promise<ReadonlySet<string>> {
  const names = new Set(Array.from({ length: USERS }, (_, index) => setOf(index)).flat());
  for (const name of names) {
    await context.sources.create(user, { name, kind: 'conversation', scope: 'organization' });
    await context.entries.bulkInsert(user, name, remarks(name, ENTRIES_A_SOURCE));
  }
  await context.stores.indexer.settle();
  return names;
}

/** Looks the managers of sources up in the database, as an application would. */
export async function findManagers(
  { context, user }: BenchContext,
  names: ReadonlySet<string>,
): Promise<DualStoreManager[]> {
  const managers: DualStoreManager[] = [];
  let cursor: string | undefined;
  do {
    const page = await context.sources.list(user, {
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const source of page.items as SourceView[]) {
      if (!names.has(source.name)) continue;
      managers.push(new PostgresDualStoreManager(source.name, source, context.stores));
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return managers;
}
