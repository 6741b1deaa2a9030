import { CacheRuntime } from '#libs/cache';
import { PrincipalLoader, TrieAccessControl } from '#libs/auth';
import {
  type CompileService,
  type ContextSettings,
  contextSettings,
  contextWarnings,
  createContext,
  type EntryService,
  type SourceService,
} from '#libs/context';
import { PantheonError, type Principal, SystemClock } from '#libs/core';
import { redisSettings } from '#libs/persistence';
import type { CommandIo } from './command-spec.js';
import { type OpenDatabase, withDatabase } from './with-database.js';

/** Sources and what can be done with them, as one user. */
export interface ContextAccess {
  readonly principal: Principal;
  readonly settings: ContextSettings;
  readonly sources: SourceService;
  readonly entries: EntryService;
  readonly compiler: CompileService;
}

export interface ContextOptions {
  readonly databaseUrl?: string | undefined;
  /** Email of the user to act as. Default: the first administrator. */
  readonly user?: string | undefined;
  /** Whether it is written, so that processes that cache must be told. Default: it is only read. */
  readonly writes?: boolean | undefined;
}

/**
 * Runs `work` as a user on an open, migrated database, with the services that the API has. A
 * database without an administrator is given one first, as at the first start of the API.
 */
export async function withContext<Result>(
  { databaseUrl, user, writes = false }: ContextOptions,
  io: CommandIo,
  work: (context: ContextAccess) => Promise<Result>,
): Promise<Result> {
  return withDatabase(databaseUrl, io, {}, async (database) => {
    const principal = await actingPrincipal(database, user, io);
    const { dataSource, store: settings } = database;
    const clock = new SystemClock();
    const cache = writes
      ? await CacheRuntime.create({
          store: settings,
          redis: settings.get(redisSettings),
          clock,
          dataSource,
        })
      : undefined;
    await cache?.start();
    const context = createContext({
      dataSource,
      settings,
      clock,
      access: new TrieAccessControl(),
      caches: cache?.caches,
    });
    const stopListening = contextWarnings.subscribe(({ code, message }) => {
      io.stderr.write(`Warning: ${message} (${code})\n`);
    });
    try {
      return await work({ ...context, principal, settings: settings.get(contextSettings) });
    } finally {
      await context.close();
      await cache?.close();
      stopListening();
    }
  });
}

async function actingPrincipal(
  database: OpenDatabase,
  email: string | undefined,
  io: CommandIo,
): Promise<Principal> {
  const principals = new PrincipalLoader(database.dataSource);
  const principal =
    email === undefined
      ? ((await principals.ofAdministrator()) ?? (await firstAdministrator(database, io)))
      : await principals.ofEmail(email);
  if (principal !== undefined) return principal;
  const message =
    email === undefined ? 'There is no active administrator' : `There is no active user ${email}`;
  throw new PantheonError('USER_UNKNOWN', `${message}; name one with --user.`, {
    kind: 'not-found',
    faults: [{ path: '--user', code: 'USER_UNKNOWN', message }],
  });
}

async function firstAdministrator(
  database: OpenDatabase,
  io: CommandIo,
): Promise<Principal | undefined> {
  // Needed once in the life of a database, so other runs do not load it.
  const { ensureAdministrator } = await import('./ensure-administrator.js');
  await ensureAdministrator(database, io);
  return new PrincipalLoader(database.dataSource).ofAdministrator();
}
