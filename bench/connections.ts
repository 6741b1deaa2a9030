/**
 * `npm run bench:connections`: whether one API process holds ten thousand connections at once and
 * answers on all of them.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Connection } from './load/connection.js';
import { SETTINGS_NOTE, startLoadApi } from './load/load-api.js';
import { type PacedResult, runPaced } from './load/paced.js';
import { makeUsers } from './load/users.js';
import { ownCpuMs, serverCpuMs } from './support/cpu-meter.js';
import { percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const RSS_LIMIT_MIB = 512;
const USERS = 100;
/** Each address of this machine has 28,000 ports for connections to one server. */
const PORTS_OF_AN_ADDRESS = 20_000;
/** Files that a process has open beside the connections. */
const OTHER_FILES = 200;
const OPENED_AT_ONCE = 100;

const HELP = `Whether one API process holds ten thousand connections at once and answers on all.

  npm run bench:connections                   10,000 connections, each a request every 20 s, for 60 s
  npm run bench:connections -- --quick        500 connections for 10 s
  npm run bench:connections -- --connections=20000 --every=10 --seconds=300
  npm run bench:connections -- --json         one JSON document

Each connection belongs to one of ${USERS} users who have logged in, and asks for its user or sources at
random times that do not depend on the answers. Times count from when a request was due. Fails when
a request fails or a connection is lost, or when the API takes ${RSS_LIMIT_MIB} MiB or more. The API and the
clients are a process each, and each needs as many open files (ulimit -n) as there are connections.`;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    every: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const count = values.quick ? 500 : wholeNumber('connections', values.connections);
  const everySeconds = wholeNumber('every', values.every);
  const seconds = values.quick ? 10 : wholeNumber('seconds', values.seconds);
  await checkOpenFiles(count + OTHER_FILES);
  const api = await startLoadApi();
  try {
    const rssBefore = await api.rssMib();
    const users = await makeUsers(api.port, values.quick ? 10 : USERS);
    const connections = await openAll(api.port, count);
    const rssOpen = await api.rssMib();
    const bar = await startProgressBar('Seconds    ', seconds);
    const cpuBefore = serverCpuMs(api.child.pid) ?? Number.NaN;
    const ownBefore = ownCpuMs();
    const result = await runPaced({
      users: count,
      meanGapMs: everySeconds * 1000,
      durationMs: seconds * 1000,
      onProgress: (ms) => bar.update(Math.min(seconds, Math.round(ms / 1000))),
      async act(index) {
        const path = Math.random() < 0.5 ? '/v1/auth/me' : '/v1/sources';
        const token = users[index % users.length]?.token;
        const answer = await connections[index]?.send({ method: 'GET', path, token });
        if (answer?.status !== 200) throw new Error(`${path}: ${answer?.status} ${answer?.body}`);
        return 'all';
      },
    });
    bar.stop();
    const lost = connections.reduce((sum, { connects }) => sum + connects - 1, 0);
    const facts: Facts = {
      connections: count,
      everySeconds,
      rssBeforeMib: rssBefore,
      rssOpenMib: rssOpen,
      rssMib: await api.rssMib(),
      cpuPercent:
        (((serverCpuMs(api.child.pid) ?? Number.NaN) - cpuBefore) / result.durationMs) * 100,
      clientCpuPercent: ((ownCpuMs() - ownBefore) / result.durationMs) * 100,
      lost,
    };
    for (const connection of connections) connection.close();
    for (const { connection } of users) connection.close();
    report(result, facts);
  } finally {
    await api.close();
  }
}

/** Opens them a hundred at a time, so that none is refused for want of room in the queue. */
async function openAll(port: number, count: number): Promise<Connection[]> {
  const bar = await startProgressBar('Connections', count);
  const connections: Connection[] = [];
  while (connections.length < count) {
    const batch = Array.from(
      { length: Math.min(OPENED_AT_ONCE, count - connections.length) },
      (_, index) => new Connection(port, addressOf(connections.length + index)),
    );
    await Promise.all(batch.map((connection) => connection.open()));
    connections.push(...batch);
    bar.update(connections.length);
  }
  bar.stop();
  return connections;
}

function addressOf(index: number): string | undefined {
  const address = Math.floor(index / PORTS_OF_AN_ADDRESS);
  return address === 0 ? undefined : `127.0.0.${address + 1}`;
}

/** Ends the program with the remedy when the system does not let a process open so many files. */
async function checkOpenFiles(needed: number): Promise<void> {
  // Only Linux tells; elsewhere a connection that cannot be opened does.
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (limit >= needed) return;
  process.stderr.write(
    `A process may open ${limit} files here, and ${needed} are needed. Raise it (ulimit -n ${needed}, or "nofile" in /etc/security/limits.conf), or take fewer: --connections=${Math.max(1, limit - OTHER_FILES)}.\n`,
  );
  process.exit(2);
}

interface Facts {
  readonly connections: number;
  readonly everySeconds: number;
  readonly rssBeforeMib: number;
  readonly rssOpenMib: number;
  readonly rssMib: number;
  readonly cpuPercent: number;
  readonly clientCpuPercent: number;
  readonly lost: number;
}

function report({ latenciesMs, errors, durationMs }: PacedResult, facts: Facts): void {
  const times = [...latenciesMs.values()].flat();
  const percentiles = percentilesOf(times);
  const isGood = errors.length === 0 && facts.lost === 0 && !(facts.rssMib >= RSS_LIMIT_MIB);
  if (!isGood) process.exitCode = 1;
  if (values.json) {
    const answers = times.length;
    console.log(
      JSON.stringify({ benchmark: 'connections', ...facts, answers, percentiles, errors, isGood }),
    );
    return;
  }
  const { connections, lost, rssMib, rssBeforeMib, rssOpenMib, cpuPercent, clientCpuPercent } =
    facts;
  const seconds = durationMs / 1000;
  printTable([
    {
      connections,
      requests: times.length,
      'requests/s': times.length / seconds,
      errors: errors.length,
      lost,
      ...percentiles,
    },
  ]);
  console.log(`Times in ms from when a request was due, over ${seconds.toFixed(0)} s.`);
  console.log(
    `API: ${rssMib.toFixed(0)} MiB (limit ${RSS_LIMIT_MIB}; ${rssBeforeMib.toFixed(0)} at the start, ${rssOpenMib.toFixed(0)} with all connections open), ${cpuPercent.toFixed(0)} % of a processor; clients ${clientCpuPercent.toFixed(0)} %.`,
  );
  console.log(SETTINGS_NOTE);
  if (errors.length > 0) console.log(`The first error: ${errors[0]}`);
  console.log(
    `No errors, no connection lost, below ${RSS_LIMIT_MIB} MiB: ${isGood ? 'yes' : 'NO'}`,
  );
}

if (values.help) console.log(HELP);
else await main();
