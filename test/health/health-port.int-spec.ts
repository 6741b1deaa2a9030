import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RunningProgram } from '../start/support/running-program.js';

jest.setTimeout(60_000);

const SOURCES = process.cwd();
const programs: RunningProgram[] = [];

afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill('SIGKILL');
    await program.ended;
  }
});

function run(...args: string[]): RunningProgram {
  const hooks = pathToFileURL(join(SOURCES, 'test/start/support/register-typescript.mjs')).href;
  const program = RunningProgram.run(
    process.execPath,
    [
      '--no-warnings',
      `--import=${hooks}`,
      join(SOURCES, 'test/health/support/busy.program.ts'),
      ...args,
    ],
    { cwd: SOURCES },
  );
  programs.push(program);
  return program;
}

async function portOf(program: RunningProgram): Promise<string> {
  return (await program.line(/^port /)).slice(5);
}

interface Answer {
  readonly status: number;
  readonly body: { readonly status?: string; readonly stalledMs?: number };
  readonly ms: number;
}

async function ask(port: string, path: string): Promise<Answer> {
  const startedMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, body, ms: performance.now() - startedMs };
}

describe('the health port', () => {
  it('answers at once while the main thread does not turn, and says when it is stalled', async () => {
    const program = run();
    const port = await portOf(program);
    expect(await ask(port, '/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await ask(port, '/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded' },
    });

    program.say('block 2000');
    await program.line(/^blocking/);
    const answers: Answer[] = [];
    while (!program.output.includes('block done')) {
      answers.push(await ask(port, '/health/live'));
      await sleep(20);
    }

    // Of so many the middle one tells; the machine may have held one back.
    const sorted = answers.map(({ ms }) => ms).sort((one, other) => one - other);
    expect(sorted.length).toBeGreaterThan(20);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(50);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    const stalled = answers.filter(({ status }) => status === 503);
    expect(stalled.length).toBeGreaterThan(0);
    for (const { body } of stalled) {
      expect(body).toMatchObject({ status: 'stalled' });
      expect(body.stalledMs).toBeGreaterThanOrEqual(500);
    }
    for (;;) {
      const { status } = await ask(port, '/health/ready');
      if (status === 200) break;
      await sleep(20);
    }
  });

  it('gives the metrics up, and not its answers, when nobody can tell them', async () => {
    const program = run();
    const port = await portOf(program);
    const scrape = () =>
      fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: 'Bearer me' } });
    expect(await (await scrape()).text()).toBe('for Bearer me');

    program.say('block 1500');
    await program.line(/^blocking/);
    expect((await scrape()).status).toBe(504);
    expect(program.output).not.toContain('block done');
  });

  it('is not ready from the moment of the shutdown on, and lives', async () => {
    const program = run();
    const port = await portOf(program);
    program.say('drain');
    await program.line(/^drain done/);
    expect(await ask(port, '/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'shutting_down' },
    });
    expect((await ask(port, '/health/live')).status).toBe(200);
    expect((await ask(port, '/health')).status).toBe(200);
  });

  it('answers nothing but health and metrics, and only to who asks', async () => {
    const port = await portOf(run());
    expect((await ask(port, '/v1/auth/me')).status).toBe(404);
    const url = `http://127.0.0.1:${port}/health`;
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('names a port that is taken, and the setting', async () => {
    const port = await portOf(run());
    const second = run(port);
    expect((await second.ended).code).toBe(1);
    expect(second.output).toMatch(new RegExp(`Port ${port} is taken.*PANTHEON_HEALTH_PORT`));
  });

  it('does not keep the process from ending', async () => {
    const program = run();
    await portOf(program);
    program.say('exit');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
});
