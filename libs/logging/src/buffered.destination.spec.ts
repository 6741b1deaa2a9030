import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BufferedLogDestination } from './buffered.destination.js';
import { LEVEL_NUMBERS } from './log-level.js';
import { logLinesDropped, type LogLinesDropped } from './logging.channels.js';

const { info, error } = LEVEL_NUMBERS;
const LINE = `${'x'.repeat(99)}\n`;
const children: ChildProcess[] = [];
const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A reader in a process of its own: a shell script that gets the log as its input. */
function startReader(script: string): { fd: number; output: Promise<string>; child: ChildProcess } {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  children.push(child);
  child.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const output = once(child, 'close').then(() => Buffer.concat(chunks).toString());
  const { fd } = (child.stdin as unknown as { _handle: { fd: number } })._handle;
  return { fd, output, child };
}

function destinationTo(fd: number, bufferMaxBytes = 1024 * 1024): BufferedLogDestination {
  return new BufferedLogDestination({ fd, bufferMaxBytes, flushIntervalMs: 10, nonBlocking: true });
}

function dropsSeen(): LogLinesDropped[] {
  const drops: LogLinesDropped[] = [];
  cleanUps.push(logLinesDropped.subscribe((drop) => drops.push(drop)));
  return drops;
}

/** Writes as `RootLogger` does: only what is accepted. */
function write(destination: BufferedLogDestination, line: string, level: number): boolean {
  if (!destination.accepts(level)) return false;
  destination.write(line, level);
  return true;
}

describe('BufferedLogDestination', () => {
  it('writes every line once and in order', async () => {
    const reader = startReader('cat');
    const destination = destinationTo(reader.fd, 64 * 1024 * 1024);
    const lines = Array.from({ length: 20_000 }, (_, at) => `${at} ${'ä€𝄞'.repeat(at % 40)}\n`);
    for (const [at, line] of lines.entries()) {
      destination.write(line, info);
      if (at % 500 === 0) await sleep(1);
    }
    destination.write(`${'long '.repeat(40_000)}\n`, info);
    expect(await destination.flush(10_000)).toBe(true);
    reader.child.stdin?.end();
    expect(await reader.output).toBe(`${lines.join('')}${'long '.repeat(40_000)}\n`);
    expect(destination.droppedLines).toBe(0);
  });

  it('writes a line within its interval, and an error at once', async () => {
    const reader = startReader('cat');
    const destination = destinationTo(reader.fd);
    const arrived = once(reader.child.stdout as NodeJS.ReadableStream, 'data');
    destination.write('soon\n', info);
    expect(String((await arrived)[0])).toBe('soon\n');
    const next = once(reader.child.stdout as NodeJS.ReadableStream, 'data');
    destination.write('now\n', error);
    expect(String((await next)[0])).toBe('now\n');
  });

  it('drops lines when nobody reads, ordinary ones first, and counts them', async () => {
    const drops = dropsSeen();
    const reader = startReader('exec sleep 60');
    const destination = destinationTo(reader.fd, 1024 * 1024);
    let written = 0;
    while (write(destination, LINE, info)) {
      written += 1;
      if (written % 1_000 === 0) await sleep(15);
      expect(written).toBeLessThan(50_000);
    }
    let errors = 0;
    while (write(destination, LINE, error)) errors += 1;
    // A quarter of the buffer is kept for warnings and errors.
    expect(errors * LINE.length).toBeGreaterThan(200_000);
    expect(write(destination, LINE, info)).toBe(false);
    expect(destination.droppedLines).toBe(3);
    expect(drops).toEqual([1, 2, 3].map(() => ({ lines: 1, reason: 'buffer-full' })));
    expect(await destination.flush(30)).toBe(false);
  });

  it('tells how many lines were dropped when the reader has caught up', async () => {
    const reader = startReader('sleep 0.3; exec cat > /dev/null');
    const destination = destinationTo(reader.fd, 1024 * 1024);
    const noticed = new Promise<number>((resolve) => destination.onRoomAgain(resolve));
    let dropped = 0;
    for (let line = 0; line < 20_000; line += 1) {
      if (!write(destination, LINE, info)) dropped += 1;
      if (line % 1_000 === 0) await sleep(5);
    }
    expect(dropped).toBeGreaterThan(0);
    expect(await noticed).toBe(dropped);
    expect(await destination.flush(10_000)).toBe(true);
    expect(write(destination, LINE, info)).toBe(true);
  });

  it('goes on when its reader has gone, and counts what is lost', async () => {
    const drops = dropsSeen();
    const reader = startReader('exec <&-; exec sleep 60');
    const destination = destinationTo(reader.fd);
    await sleep(200);
    for (let line = 0; line < 1_000; line += 1) destination.write(LINE, info);
    expect(await destination.flush(1_000)).toBe(true);
    expect(destination.droppedLines).toBe(1_000);
    expect(new Set(drops.map(({ reason }) => reason))).toEqual(new Set(['write-failed']));
  });

  it('writes what is left at the exit of the process, in order', () => {
    const path = join(tmpdir(), `pantheon-buffered-${process.pid}`);
    const fd = openSync(path, 'w');
    cleanUps.push(() => {
      closeSync(fd);
      rmSync(path);
    });
    const destination = new BufferedLogDestination({
      fd,
      bufferMaxBytes: 1024 * 1024,
      flushIntervalMs: 10_000,
    });
    const lines = Array.from({ length: 200 }, (_, at) => `${at}\n`);
    for (const line of lines) destination.write(line, info);
    destination.flushAtExit(1_000);
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
  });

  it('does not hold the event loop while its reader stands still', async () => {
    const reader = startReader('exec sleep 60');
    const destination = destinationTo(reader.fd, 8 * 1024 * 1024);
    let longestMs = 0;
    for (let line = 0; line < 50_000; line += 1) {
      const startedAtMs = performance.now();
      write(destination, LINE, info);
      longestMs = Math.max(longestMs, performance.now() - startedAtMs);
      if (line % 1_000 === 0) await sleep(1);
    }
    // Far above the 10 ms of the benchmark, for the machines that run tests are shared.
    expect(longestMs).toBeLessThan(200);
  });
});
