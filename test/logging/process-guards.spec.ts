import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

jest.setTimeout(60_000);

const LINES = 5_000;
const LINE_BYTES = 200;

interface Writer {
  readonly child: ChildProcess;
  /** Resolves when all lines have been given to the log. */
  readonly written: Promise<unknown>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const writers: ChildProcess[] = [];

afterEach(() => {
  for (const child of writers.splice(0)) child.kill('SIGKILL');
});

function startWriter(
  ending: string,
  options: { readonly stdout?: number; readonly timeoutMs?: number } = {},
): Writer {
  const child = spawn(
    process.execPath,
    [
      '--import',
      resolve('test/start/support/register-typescript.mjs'),
      resolve('test/logging/log-writer.program.ts'),
      ending,
      String(LINES),
      String(LINE_BYTES),
      String(options.timeoutMs ?? 10_000),
    ],
    {
      stdio: ['ignore', options.stdout ?? 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'] },
    },
  );
  writers.push(child);
  const written = new Promise((done) => {
    child.on('message', (message) => {
      if (message === 'written') done(undefined);
    });
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as never);
  return { child, written, ended };
}

/** Reads a pipe at a bounded speed, as a slow consumer does, from when it is called on. */
async function readSlowly(child: ChildProcess, pauseMs: number): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('There is no pipe to read.');
  let text = '';
  for await (const chunk of stdout) {
    text += String(chunk);
    await sleep(pauseMs);
  }
  return text;
}

function numbersIn(text: string): number[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { msg: string; number: number })
    .filter(({ msg }) => msg === 'line')
    .map(({ number }) => number);
}

const ALL = Array.from({ length: LINES }, (_, at) => at + 1);

describe('the end of a process', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'loses no line at %s while the reader is slow',
    async (signal) => {
      const { child, written, ended } = startWriter('wait');
      await written;
      const reading = readSlowly(child, 5);
      child.kill(signal);
      expect(numbersIn(await reading)).toEqual(ALL);
      const { code } = await ended;
      expect(code).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    },
  );

  it.each(['natural', 'exit'])('loses no line when it ends by itself (%s)', async (ending) => {
    const { child, ended } = startWriter(ending);
    expect(numbersIn(await readSlowly(child, 5))).toEqual(ALL);
    expect((await ended).code).toBe(0);
  });

  it.each([
    ['uncaught', 'Uncaught exception', 'nobody catches this'],
    ['unhandled', 'Unhandled rejection', 'nobody handles this'],
  ])('logs what nobody caught (%s), loses no line and fails', async (ending, msg, message) => {
    const { child, ended } = startWriter(ending);
    const text = await readSlowly(child, 5);
    expect(numbersIn(text)).toEqual(ALL);
    const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as unknown;
    expect(last).toMatchObject({
      level: 'fatal',
      msg,
      err: { type: 'Error', message, stack: expect.stringContaining('log-writer.program') },
    });
    expect((await ended).code).toBe(1);
  });

  it('does not wait for a reader that stands still longer than its time-out', async () => {
    const { child, written, ended } = startWriter('wait', { timeoutMs: 300 });
    await written;
    const startedAtMs = performance.now();
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('goes on without a log when its reader has gone away', async () => {
    const { child, written, ended } = startWriter('wait', { timeoutMs: 300 });
    child.stdout?.destroy();
    await written;
    await sleep(200);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
  });

  it.each(['wait', 'exit', 'natural'])('loses no line of a file (%s)', async (ending) => {
    const path = join(tmpdir(), `pantheon-log-${process.pid}-${ending}.jsonl`);
    try {
      const { child, written, ended } = startWriter(ending, { stdout: openSync(path, 'w') });
      await Promise.race([written, ended]);
      if (ending === 'wait') child.kill('SIGTERM');
      await ended;
      expect(numbersIn(readFileSync(path, 'utf8'))).toEqual(ALL);
    } finally {
      rmSync(path, { force: true });
    }
  });
});
