import { spawn } from 'node:child_process';
import { isError, PantheonError } from '#libs/core';

/** A commit as a contribution to a conversation. */
export interface Commit {
  readonly hash: string;
  readonly author: string;
  /** When the author wrote it. */
  readonly authoredAt: Date;
  /** Subject and body. */
  readonly message: string;
}

// A commit's parts are kept apart by the unit separator, and commits by NUL (-z), which git
// allows in none of them. The message is last, so one in it does no harm.
const SEPARATOR = '\u001F';
const FORMAT = ['%H', '%aN', '%aI', '%B'].join('%x1f');

/** How many commits `readCommits` will give. @throws PantheonError when there is no repository */
export async function countCommits(folder: string, signal: AbortSignal): Promise<number> {
  let text = '';
  for await (const chunk of git(folder, ['rev-list', '--count', 'HEAD'], signal)) text += chunk;
  return Number(text);
}

/** The commits that lead to HEAD, oldest first, read as git writes them. */
export async function* readCommits(folder: string, signal: AbortSignal): AsyncGenerator<Commit> {
  const args = ['log', '--reverse', '-z', `--format=${FORMAT}`, '--encoding=UTF-8', 'HEAD'];
  let rest = '';
  for await (const chunk of git(folder, args, signal)) {
    const records = (rest + chunk).split('\0');
    rest = records.pop() ?? '';
    for (const record of records) yield parseCommit(record);
  }
  if (rest.trim() !== '') yield parseCommit(rest);
}

function parseCommit(record: string): Commit {
  const [hash = '', author = '', date = '', ...message] = record.split(SEPARATOR);
  return { hash, author, authoredAt: new Date(date), message: message.join(SEPARATOR).trim() };
}

async function* git(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const child = spawn('git', ['--no-pager', '-C', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // Observed below; until then a failure to start must not count as unhandled.
  exit.catch(() => undefined);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  try {
    yield* child.stdout.setEncoding('utf8') as AsyncIterable<string>;
    const status = await exit;
    if (status !== 0) throw notReadable(folder, complaint.trim());
  } catch (error) {
    if (isMissingProgram(error)) throw notReadable(folder, 'the program git is not installed');
    throw error;
  } finally {
    child.kill();
  }
}

function notReadable(folder: string, reason: string): PantheonError {
  return new PantheonError(
    'INGEST_GIT_UNREADABLE',
    `Cannot read the commit log of ${folder}: ${reason}`,
    {
      kind: 'invalid',
      faults: [{ path: '--git', code: 'INGEST_GIT_UNREADABLE', message: reason }],
    },
  );
}

function isMissingProgram(error: unknown): boolean {
  return isError(error) && 'code' in error && error.code === 'ENOENT';
}
