import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Commit, countCommits, readCommits } from './git-log.js';

describe('the commit log', () => {
  const { signal } = new AbortController();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pantheon git '));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function git(args: readonly string[], input?: string): void {
    const identity = { GIT_AUTHOR_NAME: 'Ann Öhm', GIT_AUTHOR_EMAIL: 'ann@example.org' };
    const committer = { GIT_COMMITTER_NAME: 'Bo', GIT_COMMITTER_EMAIL: 'bo@example.org' };
    const dates = { GIT_AUTHOR_DATE: '2024-05-06T07:08:09+02:00' };
    const env = { ...process.env, ...identity, ...committer, ...dates };
    execFileSync('git', ['-C', folder, ...args], { env, input, stdio: 'pipe' });
  }

  async function all(): Promise<Commit[]> {
    const commits: Commit[] = [];
    for await (const commit of readCommits(folder, signal)) commits.push(commit);
    return commits;
  }

  it('reads commits oldest first, with author, date and the whole message', async () => {
    git(['init', '-q']);
    writeFileSync(join(folder, 'a'), '1');
    git(['add', '.']);
    git(['commit', '-q', '-F', '-'], 'First: "quoted"\n\nA body\nof two lines, ✓\n');
    git(['commit', '-q', '--allow-empty', '-m', 'Second']);
    const commits = await all();
    expect(commits).toEqual([
      {
        hash: expect.stringMatching(/^[0-9a-f]{40}$/),
        author: 'Ann Öhm',
        authoredAt: new Date('2024-05-06T05:08:09Z'),
        message: 'First: "quoted"\n\nA body\nof two lines, ✓',
      },
      expect.objectContaining({ message: 'Second' }),
    ]);
    expect(await countCommits(folder, signal)).toBe(2);
  });

  it('reads a commit without a message', async () => {
    git(['init', '-q']);
    git(['commit', '-q', '--allow-empty', '--allow-empty-message', '-m', '']);
    expect(await all()).toEqual([expect.objectContaining({ message: '' })]);
  });

  it('says why a folder has no commit log', async () => {
    await expect(all()).rejects.toMatchObject({ code: 'INGEST_GIT_UNREADABLE' });
    git(['init', '-q']);
    await expect(countCommits(folder, signal)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(folder),
    });
    await expect(countCommits(join(folder, 'missing'), signal)).rejects.toMatchObject({
      code: 'INGEST_GIT_UNREADABLE',
    });
  });

  it('ends git when the reader stops early', async () => {
    git(['init', '-q']);
    for (const message of ['1', '2', '3']) git(['commit', '-q', '--allow-empty', '-m', message]);
    const seen: string[] = [];
    for await (const { message } of readCommits(folder, signal)) {
      seen.push(message);
      break;
    }
    expect(seen).toEqual(['1']);
  });
});
