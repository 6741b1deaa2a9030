import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  embeddedProcessHarness,
  report,
  startedBy,
  stop,
} from './support/embedded-process-harness.js';
import { killAllOf, listProcesses, processesOf } from './support/processes.js';
import { eventually, query } from './support/query.js';
import { RunningProgram } from './support/running-program.js';

jest.setTimeout(60_000);

const harness = embeddedProcessHarness();

const isAlive = (pid: number): boolean => listProcesses().some((seen) => seen.pid === pid);

describe('after our process was killed', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('takes over the server that still runs', async () => {
    const first = harness.run();
    const before = await startedBy(first);
    await query(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    first.kill('SIGKILL');
    await first.ended;
    expect(isAlive(before.pid)).toBe(true);

    const second = harness.run();
    const after = await startedBy(second);

    expect(after).toMatchObject({ pid: before.pid, url: before.url });
    expect(second.output).toContain('Took over PostgreSQL');
    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
    await stop(second);
    expect(processesOf(harness.folder)).toEqual([]);
  });

  it('starts the server anew when it is to run otherwise', async () => {
    const first = harness.run();
    const before = await startedBy(first);
    first.kill('SIGKILL');
    await first.ended;

    const second = harness.run({ maxConnections: 23 });
    const after = await startedBy(second);

    expect(after.pid).not.toBe(before.pid);
    expect(isAlive(before.pid)).toBe(false);
    expect(await query(after.url, 'SHOW max_connections')).toEqual({ max_connections: '23' });
    await stop(second);
  });

  it('starts the server again when a taken-over one dies', async () => {
    const first = harness.run();
    const before = await startedBy(first);
    first.kill('SIGKILL');
    await first.ended;
    const second = harness.run();
    await startedBy(second);

    process.kill(before.pid, 'SIGKILL');

    expect(await eventually(() => query(before.url, 'SELECT 1 AS one'))).toEqual({ one: 1 });
    await stop(second);
    expect(processesOf(harness.folder)).toEqual([]);
  });
});

describe('after everything was killed', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('starts with all that was acknowledged', async () => {
    const first = harness.run();
    const { url } = await startedBy(first);
    await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    killAllOf(harness.folder);
    await first.ended;

    const second = harness.run();
    const after = await startedBy(second);

    expect(await query(after.url, 'SELECT count(*)::int AS n FROM kept')).toEqual({ n: 1_000 });
    await stop(second);
  });

  it('is not misled by another process that has got the id of the dead server', async () => {
    const first = harness.run();
    await startedBy(first);
    killAllOf(harness.folder);
    await first.ended;
    const pidFile = join(harness.dataDir, 'postgres', 'postmaster.pid');
    const { uid, gid } = statSync(join(harness.dataDir, 'postgres'));
    const stranger = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' });
    try {
      await once(stranger, 'spawn');
      const text = readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid));
      writeFileSync(pidFile, text);

      const second = harness.run();
      await startedBy(second);

      expect(isAlive(stranger.pid ?? 0)).toBe(true);
      await stop(second);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('is not misled by a lock of a process that is gone', async () => {
    // A live process, but not the one that wrote the lock: ids come round again.
    const stale = { pid: process.pid, identity: 'another-boot:1', command: 'start.mjs' };
    writeFileSync(join(harness.dataDir, 'postgres.lock'), JSON.stringify(stale));

    const program = harness.run();
    const outcome = await report(program);

    // Only Linux tells processes with the same id apart.
    expect(outcome.code).toBe(
      process.platform === 'linux' ? undefined : 'EMBEDDED_POSTGRES_IN_USE',
    );
    await stop(program);
  });
});

describe('another process', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('is refused while the first lives, and can attach', async () => {
    const first = harness.run();
    const { url } = await startedBy(first);

    const second = harness.run();
    expect(await report(second)).toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
      message: expect.stringContaining(`process ${first.pid} (embedded-server.ts`),
    });
    const third = harness.run({ attach: true });
    expect(await report(third)).toMatchObject({ url, pid: null });
    await stop(third);

    expect(await query(url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    await stop(first);
  });

  it('waits to attach while the first is starting', async () => {
    const programs = [harness.run({ attach: true }), harness.run({ attach: true })];

    const [one, two] = await Promise.all(programs.map(startedBy));

    expect(one?.url).toBe(two?.url);
    expect([one?.pid, two?.pid].filter((pid) => pid === null)).toHaveLength(1);
    for (const program of programs) program.say('stop');
    await Promise.all(programs.map((program) => program.ended));
    expect(processesOf(harness.folder)).toEqual([]);
  });

  it.each(['exit', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'that ends by %s without stopping its server takes it along',
    async (how) => {
      const program = harness.run();
      const { pid } = await startedBy(program);

      if (how === 'exit') program.say('exit');
      else program.kill(how);
      expect((await program.ended).signal).toBe(how === 'exit' ? null : how);
      await eventually(() => expect(isAlive(pid)).toBe(false));
    },
  );

  it('that is interrupted the moment that its server starts takes it along', async () => {
    const support = join(process.cwd(), 'test/start/support');
    const program = RunningProgram.run(
      process.execPath,
      [
        '--no-warnings',
        `--import=${pathToFileURL(join(support, 'register-typescript.mjs')).href}`,
        join(support, 'interrupted-server.program.ts'),
      ],
      { cwd: process.cwd() },
    );
    const { pid } = JSON.parse(await program.line(/"pid":/)) as { pid: number };

    expect((await program.ended).signal).toBe('SIGINT');
    await eventually(() => expect(isAlive(pid)).toBe(false));
  });
});
