import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { temporaryFolder } from '../start/support/folders.js';
import { processesOf } from '../start/support/processes.js';
import { RunningProgram } from '../start/support/running-program.js';
import { cloneTemplate } from '../support/database.js';
import { freePort } from '../support/redis-server.js';

jest.setTimeout(120_000);

let folder: ReturnType<typeof temporaryFolder>;
let database: Awaited<ReturnType<typeof cloneTemplate>>;
let port: number;
const programs: RunningProgram[] = [];

beforeAll(async () => {
  folder = temporaryFolder('pantheon-shutdown');
  database = await cloneTemplate();
  port = await freePort();
});

afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill('SIGKILL');
    await program.ended;
  }
});

afterAll(async () => {
  await database.drop();
  folder.remove();
});

function start(name: 'api' | 'worker', environment: Record<string, string> = {}): RunningProgram {
  const program = RunningProgram.run(
    process.execPath,
    [join(process.cwd(), 'dist/bin', `${name}.js`)],
    {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        DATABASE_URL: database.url,
        ...environment,
      },
    },
  );
  programs.push(program);
  return program;
}

const BODY = JSON.stringify({ email: 'nobody@example.com', password: 'not my password' });

/** A request of which the last byte is still missing. */
async function sendMostOfARequest(): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  // Being cut off is what some of them are for.
  socket.on('error', () => undefined);
  socket.write(
    'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, -1)}`,
  );
  return {
    socket,
    async finish() {
      socket.write(BODY.slice(-1));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString();
    },
  };
}

interface Report {
  readonly cause: string;
  readonly phasesMs: Record<string, number>;
  readonly overran: string[];
  readonly failed: string[];
  readonly requests?: object;
  readonly jobs?: object;
}

async function reportOf(program: RunningProgram): Promise<Report> {
  return JSON.parse(await program.line(/"msg":"The process ends"/)) as Report;
}

describe('the end of an API', () => {
  it('finishes requests under way, cuts off one that hangs, and reports both', async () => {
    const api = start('api', { PANTHEON_SHUTDOWN_REQUESTS_DEADLINE_MS: '1500' });
    await api.line(/Pantheon is ready/);
    const [good, hanging] = await Promise.all([sendMostOfARequest(), sendMostOfARequest()]);
    const cut = once(hanging.socket, 'close');
    await inFlight(3);

    api.kill('SIGTERM');
    await untilRefused();
    expect(await good.finish()).toMatch(/^HTTP\/1\.1 401 /);
    await cut;
    // What had to be cut off was not ended in order.
    expect(await api.ended).toEqual({ code: 1, signal: null });

    const report = await reportOf(api);
    expect(report).toMatchObject({
      cause: 'SIGTERM',
      requests: { inFlight: 2, arrived: 0, finished: 1, cut: 1 },
      jobs: { aborted: 0, abandoned: 0 },
      overran: ['requests'],
      failed: [],
    });
    expect(Object.keys(report.phasesMs)).toEqual([
      'drain',
      'work',
      'requests',
      'flush',
      'stores',
      'database',
    ]);
    expect(report.phasesMs['requests']).toBeGreaterThanOrEqual(1_499);
    expect(api.output).toMatch(
      /^Ended after SIGTERM in \d+ ms \(drain .*requests \d+ ms \(overran\).*1 finished, 1 cut$/m,
    );
  });

  it('ends in order with 0, also while clients keep their connections', async () => {
    const api = start('api');
    await api.line(/Pantheon is ready/);
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');

    api.kill('SIGTERM');
    expect(await api.ended).toEqual({ code: 0, signal: null });

    expect(await reportOf(api)).toMatchObject({ overran: [], failed: [] });
    // Nothing wrote to a database from which the process had disconnected already.
    const complaints = api.lines.filter((line) => /"level":"(error|warn)"/.test(line));
    // That the machine is busy is no complaint about the end.
    expect(complaints.filter((line) => !line.includes('"module":"health"'))).toEqual([]);
  });

  it('counts what comes while it drains', async () => {
    const healthPort = await freePort();
    const api = start('api', {
      PANTHEON_SHUTDOWN_DRAIN_DELAY_MS: '1000',
      PANTHEON_HEALTH_PORT: String(healthPort),
    });
    await api.line(/Pantheon is ready/);
    const readiness = () => fetch(`http://127.0.0.1:${healthPort}/health/ready`);
    while ((await readiness()).status !== 200) await sleep(10);
    api.kill('SIGTERM');
    while ((await readiness()).status === 200) await sleep(5);
    expect(await (await readiness()).json()).toMatchObject({ status: 'shutting_down' });
    while ((await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200) await sleep(10);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);

    expect(await api.ended).toEqual({ code: 0, signal: null });
    const { requests } = (await reportOf(api)) as { requests: { arrived: number } };
    expect(requests.arrived).toBeGreaterThanOrEqual(2);
    expect(requests).toMatchObject({ inFlight: 0, finished: requests.arrived, cut: 0 });
  });

  it('ends at once when it is asked again', async () => {
    const api = start('api');
    await api.line(/Pantheon is ready/);
    await sendMostOfARequest();
    await inFlight(2);
    api.kill('SIGTERM');
    await untilRefused();
    // Sooner it would be the same signal, sent to a whole group.
    await sleep(1_100);
    api.kill('SIGINT');
    expect(await api.ended).toEqual({ code: 130, signal: null });
    expect(api.output).toContain('SIGINT again');
  });

  it('loses nothing when it is killed while it ends', async () => {
    const own = { DATABASE_URL: '', PANTHEON_DATA_DIR: join(folder.path, 'data') };
    const killed = start('api', own);
    await killed.line(/Pantheon is ready/);
    await sendMostOfARequest();
    await inFlight(2);
    killed.kill('SIGTERM');
    await untilRefused();
    killed.kill('SIGKILL');
    await killed.ended;

    const next = start('api', own);
    await next.line(/Pantheon is ready/);
    next.kill('SIGTERM');
    expect(await next.ended).toEqual({ code: 0, signal: null });
    expect(processesOf(folder.path)).toEqual([]);
  });
});

describe('the end of a worker', () => {
  it('has the phases of an API but for its requests, and a health port to be watched at', async () => {
    const healthPort = await freePort();
    const worker = start('worker', { PANTHEON_HEALTH_PORT: String(healthPort) });
    await worker.line(new RegExp(`worker is ready.*Health and metrics are on port ${healthPort}`));
    const ask = (path: string) => fetch(`http://127.0.0.1:${healthPort}${path}`);
    for (;;) {
      const text = await (await ask('/health')).text();
      if (/"queue":\{[^}]*"status":"up"/.test(text)) break;
      await sleep(20);
    }
    expect((await ask('/health/ready')).status).toBe(200);
    const metrics = await ask('/metrics');
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/^db_pool_connections\{state="idle"\} \d/m);
    const forwarded = await fetch(`http://127.0.0.1:${healthPort}/metrics`, {
      headers: { 'x-forwarded-for': '192.0.2.1' },
    });
    expect(forwarded.status).toBe(401);

    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    const report = await reportOf(worker);
    expect(Object.keys(report.phasesMs)).toEqual(['work', 'flush', 'stores', 'database']);
    expect(report).toMatchObject({ jobs: { aborted: 0, abandoned: 0 }, overran: [], failed: [] });
    expect(report.requests).toBeUndefined();
  });

  it('says which port is taken, and ends', async () => {
    const healthPort = await freePort();
    const taken = createServer().listen(healthPort, '127.0.0.1');
    await once(taken, 'listening');
    const worker = start('worker', { PANTHEON_HEALTH_PORT: String(healthPort) });
    expect((await worker.ended).code).toBe(1);
    taken.close();
    expect(worker.output).toMatch(
      /Port \d+ is taken .*PANTHEON_HEALTH_PORT.*\[HEALTH_PORT_TAKEN\]/,
    );
  });
});

/** Waits until so many requests are under way, that of the metrics counted in. */
async function inFlight(count: number): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await response.text();
    if (text.includes(`\nhttp_requests_in_flight ${count}\n`)) return;
    await sleep(10);
  }
}

async function untilRefused(): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isRefused = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(
        () => true,
        () => true,
      ),
    ]).catch(() => true);
    socket.destroy();
    if (isRefused) return;
    await sleep(10);
  }
}
