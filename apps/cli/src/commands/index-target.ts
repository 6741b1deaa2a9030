import { PantheonError, SystemClock } from '#libs/core';
import {
  CallbackChangeAudit,
  type ChangeAudit,
  type ChangeSession,
  indexAdvisorSettings,
  openPgSession,
  PostgresChangeAudit,
} from '#libs/index-advisor';
import type { CommandIo } from '../command-spec.js';
import { withDatabase } from '../with-database.js';

/** A database to advise on, and where its changes are kept. */
export interface AdviceTarget {
  readonly session: ChangeSession;
  readonly openSession: () => Promise<ChangeSession>;
  readonly audit: ChangeAudit;
  /** Of the settings, where the database is that of the application. */
  readonly budgetBytes: number | undefined;
  readonly timeMs: number | undefined;
  readonly minStatisticsDays: number | undefined;
}

export interface TargetOptions {
  readonly url?: string | undefined;
  readonly databaseUrl?: string | undefined;
}

/** Runs `work` on the database at `url`, of which nothing is changed, or on the application's. */
export function withTarget<Result>(
  { url, databaseUrl }: TargetOptions,
  io: CommandIo,
  work: (target: AdviceTarget) => Promise<Result>,
): Promise<Result> {
  if (url !== undefined) {
    const audit = new CallbackChangeAudit(() => undefined);
    return onSession(url, (session) =>
      work({
        session,
        openSession: () => openSession(url),
        audit: printing(audit, io),
        budgetBytes: undefined,
        timeMs: undefined,
        minStatisticsDays: undefined,
      }),
    );
  }
  return withDatabase(databaseUrl, io, {}, ({ dataSource, store }) => {
    const own = 'url' in dataSource.options ? String(dataSource.options.url) : '';
    const audit = new PostgresChangeAudit(dataSource, new SystemClock());
    return onSession(own, (session) =>
      work({
        session,
        openSession: () => openSession(own),
        audit: printing(audit, io),
        ...store.get(indexAdvisorSettings),
      }),
    );
  });
}

function printing(audit: ChangeAudit, io: CommandIo): ChangeAudit {
  return new CallbackChangeAudit((entry) => {
    io.stderr.write(`${entry.index}: ${entry.step}\n`);
    return audit.write(entry);
  });
}

async function onSession<Result>(
  url: string,
  work: (session: ChangeSession) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(url);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function openSession(url: string): Promise<ChangeSession> {
  try {
    return await openPgSession(url);
  } catch (error) {
    throw new PantheonError(
      'INDEX_ADVISOR_UNREACHABLE',
      'The database to advise on does not answer, or refuses the login. Check --url.',
      { kind: 'unavailable', cause: error },
    );
  }
}
