import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedPostgres } from '#libs/persistence';
import { temporaryFolder } from '../start/support/folders.js';
import { RunningProgram } from '../start/support/running-program.js';
import { freePort } from '../support/redis-server.js';

const PASSWORD = 'correct horse battery staple';
const WRITERS = 8;
const RECOVERY_LIMIT_MS = 5_000;

jest.setTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let postgres: EmbeddedPostgres;
let api: RunningProgram;
let url: string;

beforeAll(async () => {
  folder = temporaryFolder('pantheon-crash');
  postgres = await EmbeddedPostgres.start({ dataDir: join(folder.path, 'data') });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  api = RunningProgram.run(process.execPath, [join(process.cwd(), 'dist/bin/api.js')], {
    cwd: folder.path,
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      DATABASE_URL: postgres.url,
      PANTHEON_ADMIN_EMAIL: 'admin@test.example',
      PANTHEON_ADMIN_PASSWORD: PASSWORD,
    },
  });
  await api.line(/Pantheon is ready/);
});

afterAll(async () => {
  api.kill('SIGKILL');
  await api.ended;
  await postgres.stop();
  folder.remove();
});

interface Outcome {
  readonly atMs: number;
  readonly status: number;
  readonly code: string | undefined;
  readonly id: string | undefined;
}

async function send(path: string, token: string, body: object): Promise<Outcome> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { id?: string; code?: string };
  return { atMs: performance.now(), status: response.status, code: answer.code, id: answer.id };
}

async function login(): Promise<string> {
  const response = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@test.example', password: PASSWORD }),
  });
  return ((await response.json()) as { accessToken: string }).accessToken;
}

/** Writes without a pause until told to stop, and keeps every answer. */
async function writeUntil(stopped: () => boolean, token: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (!stopped()) {
    outcomes.push(await send('/v1/sources/journal/entries', token, { text: 'kept for ever' }));
  }
  return outcomes;
}

async function listIds(token: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${url}/v1/sources/journal/entries?limit=1000${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    const page = (await response.json()) as { items: { id: string }[]; nextCursor: string | null };
    for (const { id } of page.items) ids.add(id);
    cursor = page.nextCursor;
  }
  return ids;
}

describe('kill -9 of PostgreSQL under load', () => {
  it('answers 503 with a code meanwhile, recovers within 5 s, and loses no acknowledged write', async () => {
    const token = await login();
    expect((await send('/v1/sources', token, { name: 'journal', kind: 'log' })).status).toBe(201);

    let stopped = false;
    const writers = Array.from({ length: WRITERS }, () => writeUntil(() => stopped, token));
    await sleep(1_000);

    const killedPid = postgres.pid;
    process.kill(killedPid, 'SIGKILL');
    // The supervisor of the embedded server starts it again; it may be adopted under a new pid.
    while (postgres.pid === killedPid) await sleep(20);
    const returnedAtMs = performance.now();
    await sleep(RECOVERY_LIMIT_MS + 500);
    stopped = true;
    const outcomes = (await Promise.all(writers)).flat();

    const failures = outcomes.filter(({ status }) => status !== 201);
    expect(failures.length).toBeGreaterThan(0);
    expect(new Set(failures.map(({ status, code }) => `${status} ${code}`))).toEqual(
      new Set(['503 DATABASE_UNAVAILABLE']),
    );
    const lastFailureAtMs = Math.max(...failures.map(({ atMs }) => atMs));
    expect(lastFailureAtMs - returnedAtMs).toBeLessThan(RECOVERY_LIMIT_MS);
    expect(outcomes.some(({ status, atMs }) => status === 201 && atMs > lastFailureAtMs)).toBe(
      true,
    );

    const kept = await listIds(token);
    const acknowledged = outcomes.flatMap(({ status, id }) => (status === 201 ? [id ?? ''] : []));
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });
});
