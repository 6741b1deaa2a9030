/**
 * `npm run bench:users`: whether every answer comes soon while many people use the platform at the
 * same time, each with a session of their own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SETTINGS_NOTE, startLoadApi } from './load/load-api.js';
import { type PacedResult, runPaced } from './load/paced.js';
import { DOMAIN_MIX, makeUsers } from './load/users.js';
import { serverCpuMs } from './support/cpu-meter.js';
import { percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const P95_LIMIT_MS = 100;
const RSS_LIMIT_MIB = 512;
/** What users stored is indexed in the background; that so many come at once is no part of it. */
const SETTLE_MS = 5_000;

const HELP = `Whether every answer comes soon while many people use the platform at the same time.

  npm run bench:users                         1,000 users for 60 s
  npm run bench:users -- --quick              100 users for 10 s
  npm run bench:users -- --users=2000 --think=10 --seconds=120
  npm run bench:users -- --json               one JSON document

Users are registered first, log in and get a source of 40 entries each. Then each does something
every --think seconds on average (5), at random times that do not depend on the answers (an open
model): ${DOMAIN_MIX.map(({ name, share }) => `${name} ${share} %`).join(', ')}.
Times count from when an act was due. Fails when a request fails, when the 95th percentile of all is
${P95_LIMIT_MS} ms or more, or when the API takes ${RSS_LIMIT_MIB} MiB or more. API, PostgreSQL and users share this machine.`;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    think: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const count = values.quick ? 100 : wholeNumber('users', values.users);
  const thinkSeconds = wholeNumber('think', values.think);
  const seconds = values.quick ? 10 : wholeNumber('seconds', values.seconds);
  const api = await startLoadApi();
  try {
    const users = await makeUsers(api.port, count);
    await sleep(SETTLE_MS);
    const bar = await startProgressBar('Seconds ', seconds);
    const cpuBefore = cpuMsOf(api.child.pid);
    const result = await runPaced({
      users: count,
      meanGapMs: thinkSeconds * 1000,
      durationMs: seconds * 1000,
      onProgress: (ms) => bar.update(Math.min(seconds, Math.round(ms / 1000))),
      async act(index) {
        const user = users[index];
        if (user === undefined) throw new Error('there is no such user');
        const { name, request } = pick(Math.random() * 100);
        const sent = { ...request(Math.floor(Math.random() * 1000)), token: user.token };
        const { status, body } = await user.connection.send(sent);
        if (status >= 400) throw new Error(`${name}: ${status} ${body}`);
        return name;
      },
    });
    bar.stop();
    const cpuMs = cpuMsOf(api.child.pid) - cpuBefore;
    const rssMib = await api.rssMib();
    for (const { connection } of users) connection.close();
    report(result, { users: count, thinkSeconds, rssMib, cpuMs });
  } finally {
    await api.close();
  }
}

function pick(percent: number): (typeof DOMAIN_MIX)[number] {
  let sum = 0;
  for (const act of DOMAIN_MIX) {
    sum += act.share;
    if (percent < sum) return act;
  }
  throw new Error('the shares do not sum up to 100');
}

function cpuMsOf(pid: number | undefined): number {
  return serverCpuMs(pid) ?? Number.NaN;
}

interface Facts {
  readonly users: number;
  readonly thinkSeconds: number;
  readonly rssMib: number;
  readonly cpuMs: number;
}

function report({ latenciesMs, errors, durationMs }: PacedResult, facts: Facts): void {
  const rows = [...latenciesMs, ['all', [...latenciesMs.values()].flat()] as const].map(
    ([act, times]) => {
      const { p50, p95, p99, max } = percentilesOf(times);
      return { act, requests: times.length, p50, p95, p99, max };
    },
  );
  const all = rows.at(-1);
  const perSecond = (all?.requests ?? 0) / (durationMs / 1000);
  const isGood =
    errors.length === 0 &&
    (all?.p95 ?? Infinity) < P95_LIMIT_MS &&
    !(facts.rssMib >= RSS_LIMIT_MIB);
  if (!isGood) process.exitCode = 1;
  if (values.json) {
    console.log(JSON.stringify({ benchmark: 'users', ...facts, perSecond, rows, errors, isGood }));
    return;
  }
  printTable(rows);
  console.log(
    `${facts.users} users with sessions of their own, ${perSecond.toFixed(0)} requests/s; times in ms from when they were due.`,
  );
  console.log(
    `API: ${facts.rssMib.toFixed(0)} MiB (limit ${RSS_LIMIT_MIB}), ${((facts.cpuMs / durationMs) * 100).toFixed(0)} % of a processor.`,
  );
  console.log(SETTINGS_NOTE);
  console.log(`Errors: ${errors.length}${errors.length === 0 ? '' : ` (${errors[0]})`}`);
  console.log(`p95 below ${P95_LIMIT_MS} ms, no errors: ${isGood ? 'yes' : 'NO'}`);
}

if (values.help) console.log(HELP);
else await main();
