/**
 * `npm run bench:instances`: what two API processes promise together, on one PostgreSQL, with Redis and
 * without: one rate budget, revocations that both go by within 100 ms, and no failed request while
 * Redis is killed and comes back under load.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseParts } from '../apps/shared/src/database-parts.js';
import { openBenchDatabase } from './support/bench-database.js';
import { type BenchRedis, startBenchRedis } from './support/bench-redis.js';
import { percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { API_PROGRAM, type RunningProgram, startProgram } from './support/program.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const ADMINISTRATOR = { email: 'admin@bench.example', password: 'correct horse battery staple' };
const CAPACITY = 20;
const REFILL_PER_MINUTE = 60;
const FLOOD_REQUESTS = 400;
const CONCURRENCY = 16;
const REVOCATION_LIMIT_MS = 100;
const POLL_LIMIT_MS = 5_000;
const OUTAGE = { beforeMs: 1_500, downMs: 2_500, afterMs: 2_500 } as const;
/** A route that does little, with a limit that the flood reaches, and one that load does not. */
const LIMITED_ROUTE = '/v1/auth/me';
const FREE_ROUTE = '/v1/sources';

const HELP = `Usage: npm run bench:instances -- [--revocations=<n>] [--json]

Starts two API processes on one database, first without Redis, then with one (REDIS_URL, else the
redis-server or valkey-server on the PATH, else that half is left out), and prints
  - how many of a flood of requests to both a limit of ${CAPACITY} lets through, and its bound;
  - after which time both refuse the token of a session that was ended (--revocations, default 50);
  - how many requests fail, and how many a limit lets through, while Redis is killed and comes back.
Fails when a promise is not kept. Without REDIS_URL the Redis that is killed is its own.`;

interface Row {
  readonly stores: string;
  readonly promise: string;
  readonly measured: string;
  readonly bound: string;
  readonly kept: 'yes' | 'NO';
}

type Instances = readonly [RunningProgram, RunningProgram];

async function startInstances(environment: Readonly<Record<string, string>>): Promise<Instances> {
  const settings = {
    ...environment,
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
    PANTHEON_RATE_LIMIT_ROUTES: JSON.stringify({
      [`GET ${LIMITED_ROUTE}`]: [
        { by: 'user', capacity: CAPACITY, refillPerMinute: REFILL_PER_MINUTE },
      ],
      'POST /v1/auth/login': [],
    }),
  };
  // One after the other: the first makes the administrator.
  const first = await startProgram(API_PROGRAM, settings);
  return [first, await startProgram(API_PROGRAM, settings)];
}

async function login({ url }: RunningProgram): Promise<string> {
  const response = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMINISTRATOR),
  });
  const body = (await response.json()) as { readonly accessToken: string };
  if (response.status !== 200) throw new Error(`The log-in failed: ${JSON.stringify(body)}`);
  return body.accessToken;
}

interface Answer {
  readonly status: number;
  /** Of a problem, or of what kept an answer from coming. */
  readonly code?: string;
}

async function ask(url: string, token: string): Promise<Answer> {
  try {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, ...((await response.json()) as { code?: string }) };
  } catch (error) {
    return { status: 0, code: String(error) };
  }
}

/** Runs `task` until `isOver`, so many at a time. */
async function hammer(task: (index: number) => Promise<void>, isOver: () => boolean) {
  let index = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (!isOver()) {
        index += 1;
        await task(index);
      }
    }),
  );
}

/** Most requests that a budget lets through in so long: what is in it, and what comes back. */
function budgetIn(ms: number): number {
  return CAPACITY + Math.floor((ms * REFILL_PER_MINUTE) / 60_000);
}

async function sharedBudget(stores: string, instances: Instances): Promise<Row> {
  const token = await login(instances[0]);
  let sent = 0;
  let allowed = 0;
  const startedMs = performance.now();
  await hammer(
    async (index) => {
      const { url } = instances[index % 2] as RunningProgram;
      if ((await ask(url + LIMITED_ROUTE, token)).status === 200) allowed += 1;
    },
    () => (sent += 1) > FLOOD_REQUESTS,
  );
  const bound = budgetIn(performance.now() - startedMs);
  return {
    stores,
    promise: `one budget of ${CAPACITY} for ${FLOOD_REQUESTS} requests to both`,
    measured: `${allowed} let through`,
    bound: `${CAPACITY} to ${bound}`,
    kept: allowed >= CAPACITY && allowed <= bound ? 'yes' : 'NO',
  };
}

/** Milliseconds from the answer to the log-out until an instance refuses the token. */
async function refusedAfterMs({ url }: RunningProgram, token: string): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < POLL_LIMIT_MS) {
    const askedMs = performance.now();
    if ((await ask(url + FREE_ROUTE, token)).status === 401) return askedMs - startedMs;
  }
  return Number.POSITIVE_INFINITY;
}

async function revocations(stores: string, instances: Instances, times: number): Promise<Row> {
  const delaysMs: number[] = [];
  const bar = await startProgressBar('Revocations', times);
  for (let time = 0; time < times; time += 1) {
    const [ends, hears] = time % 2 === 0 ? instances : [instances[1], instances[0]];
    const token = await login(ends);
    // Both have the session in memory.
    for (const { url } of instances) await ask(url + FREE_ROUTE, token);
    const startedMs = performance.now();
    await fetch(`${ends.url}/v1/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const logoutMs = performance.now() - startedMs;
    const delays = await Promise.all([ends, hears].map((one) => refusedAfterMs(one, token)));
    delaysMs.push(logoutMs + Math.max(...delays));
    bar.update(time + 1);
  }
  bar.stop();
  const { p50, p95, max } = percentilesOf(delaysMs);
  return {
    stores,
    promise: `both refuse an ended session (${times} log-outs, the log-out itself included)`,
    measured: `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, most ${max.toFixed(1)} ms`,
    bound: `p95 within ${REVOCATION_LIMIT_MS} ms`,
    kept: p95 <= REVOCATION_LIMIT_MS ? 'yes' : 'NO',
  };
}

/** Redis is killed under load and comes back empty. */
async function outage(redis: BenchRedis, instances: Instances): Promise<Row[]> {
  const token = await login(instances[0]);
  const totalMs = OUTAGE.beforeMs + OUTAGE.downMs + OUTAGE.afterMs;
  const failures = new Map<string, number>();
  let requests = 0;
  let allowed = 0;
  const startedMs = performance.now();
  const isOver = () => performance.now() - startedMs > totalMs;
  const load = hammer(async (index) => {
    const { url } = instances[index % 2] as RunningProgram;
    const isLimited = index % 4 < 2;
    const { status, code } = await ask(url + (isLimited ? LIMITED_ROUTE : FREE_ROUTE), token);
    requests += 1;
    if (isLimited && status === 200) allowed += 1;
    const isExpected = status === 200 || (isLimited && status === 429);
    if (!isExpected) {
      const failure = `${status} ${code ?? ''}`;
      failures.set(failure, (failures.get(failure) ?? 0) + 1);
    }
  }, isOver);
  await sleep(OUTAGE.beforeMs);
  await redis.kill();
  await sleep(OUTAGE.downMs);
  await redis.startAgain();
  await load;
  const failed = [...failures].map(([failure, count]) => `${count} × ${failure}`).join(', ');
  // The budget of a Redis that forgot begins anew, once when it goes and once when it is back.
  const bound = budgetIn(totalMs) + 2 * CAPACITY;
  return [
    {
      stores: 'Redis killed and back',
      promise: `no request fails (${requests} in ${(totalMs / 1_000).toFixed(1)} s)`,
      measured: failed === '' ? 'none failed' : failed,
      bound: 'none',
      kept: failures.size === 0 ? 'yes' : 'NO',
    },
    {
      stores: 'Redis killed and back',
      promise: 'the limit goes on: its budget, and one more when Redis goes and when it is back',
      measured: `${allowed} let through`,
      bound: `at most ${bound}`,
      kept: allowed <= bound ? 'yes' : 'NO',
    },
  ];
}

async function withInstances<Result>(
  environment: Readonly<Record<string, string>>,
  work: (instances: Instances) => Promise<Result>,
): Promise<Result> {
  const instances = await startInstances(environment);
  try {
    return await work(instances);
  } finally {
    await Promise.all(instances.map((instance) => instance.stop()));
  }
}

async function main(times: number, asJson: boolean): Promise<void> {
  const database = await openBenchDatabase(databaseParts);
  const redis = await startBenchRedis();
  const rows: Row[] = [];
  try {
    const DATABASE_URL = database.url;
    await withInstances({ DATABASE_URL, REDIS_URL: '' }, async (instances) => {
      rows.push(await sharedBudget('PostgreSQL', instances));
      rows.push(await revocations('PostgreSQL', instances, times));
    });
    if (redis !== undefined) {
      await withInstances({ DATABASE_URL, REDIS_URL: redis.url }, async (instances) => {
        rows.push(await sharedBudget('Redis', instances));
        rows.push(await revocations('Redis', instances, times));
        if (redis.isOwn) rows.push(...(await outage(redis, instances)));
      });
    }
  } finally {
    await redis?.stop();
    await database.close();
  }
  if (asJson) console.log(JSON.stringify({ benchmark: 'instances', node: process.version, rows }));
  else {
    printTable(rows);
    if (redis === undefined) console.log('No Redis: set REDIS_URL to measure with one.');
    else if (!redis.isOwn) console.log('The Redis of REDIS_URL was not killed.');
  }
  if (rows.some(({ kept }) => kept === 'NO')) process.exitCode = 1;
}

const { values } = parseArgs({
  options: {
    revocations: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else await main(wholeNumber('revocations', values.revocations), values.json);
