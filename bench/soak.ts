/**
 * `npm run soak`: whether an API process that works for long keeps what it does not need any more:
 * memory, listeners of events, timers, sockets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findFreePort } from '../libs/persistence/src/embedded/free-port.js';
import { Connection } from './load/connection.js';
import { SETTINGS_NOTE, startLoadApi } from './load/load-api.js';
import { makeUsers } from './load/users.js';
import { SoakLoad } from './soak/load.js';
import type { ProbeSample } from './soak/probe.js';
import { isFlat, type Tolerance, type Trend, trendOf } from './soak/trend.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const USERS = 50;
const GAP_MS = 500;
const MOST_SAMPLES = 40;
/** Before a sample the process has a moment to end what it does after its answers. */
const SETTLE_MS = 2_500;
const SECOND_MS = 1_000;

/**
 * Memory may rise by what the caches of the process learn within so short a time; a count may not by
 * more than comes and goes.
 */
const TOLERANCES: Readonly<Record<keyof ProbeSample, Tolerance>> = {
  rssMib: { perHour: 1, rise: 5 },
  heapMib: { perHour: 1, rise: 3 },
  externalMib: { perHour: 1, rise: 3 },
  // Each connection of the load has a dozen.
  listeners: { perHour: 0, rise: 60 },
  timers: { perHour: 0, rise: 5 },
  sockets: { perHour: 0, rise: 5 },
  handles: { perHour: 0, rise: 5 },
};

const HELP = `Whether an API process that works for long keeps what it does not need any more.

  npm run soak                       10 minutes, after 15 to warm up
  npm run soak -- --quick            1 minute at once, which says little
  npm run soak -- --minutes=60 --warm-up=30
  npm run soak -- --json             one JSON document

${USERS} users do what people do, each every ${GAP_MS} ms; they also log out and in, hang up in the middle,
reconnect, make and use API keys, create and delete sources that are cached, start jobs and make
mistakes. Now and then the load pauses, and after a collection of garbage the process tells its
memory and the numbers of its listeners (of all emitters and targets that are alive), timers, sockets
and handles; for that it runs with --expose-gc and a probe, here only.

The warm-up has the same load, until all that is bounded is full: the windows of the metrics take 15
minutes, and the other bounds are small here. A quantity is flat when the lower end of the 95 %
confidence interval of its slope is not above the limit (1 MiB an hour for memory, 0 for counts), and
what the line rises in that time is below the limit that is printed. Fails when one grows or an answer
was wrong.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '15' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/**
 * What is bounded is bounded tightly, so that it is full when the verdict begins: with the defaults the
 * first level of the cache takes up to 128 MiB.
 */
const BOUNDS = {
  PANTHEON_CACHE_L1_MAX_BYTES: String(1024 * 1024),
  // Every log-in brings a token and a principal, and few of them come again.
  PANTHEON_AUTH_VERIFIED_TOKEN_CACHE_ENTRIES: '100',
  PANTHEON_AUTH_PRINCIPAL_CACHE_ENTRIES: '100',
  PANTHEON_CACHE_MAX_TAGS: '1000',
  PANTHEON_CACHE_LEARNING_RECORDED_READS: '256',
  PANTHEON_CACHE_LEARNING_SUCCESSOR_KEYS: '256',
  PANTHEON_CACHE_LEARNING_REMEMBERED_CALLS: '256',
  // A thread takes some 30 MiB. None is left when a sample is taken.
  PANTHEON_WORKERS_IDLE_MS: '1000',
  PANTHEON_METRICS_MAX_HTTP_LABEL_SETS: '10',
  PANTHEON_METRICS_MAX_HTTP_STATUS_SETS: '10',
};

type Point = readonly [atMs: number, sample: ProbeSample];

async function main(): Promise<void> {
  const durationMs = minutesOf(values.quick ? '1' : values.minutes, 'minutes');
  const warmUpMs = minutesOf(values.quick ? '0' : values['warm-up'], 'warm-up');
  const probePort = await findFreePort();
  const probe = fileURLToPath(new URL('./soak/probe.js', import.meta.url));
  const api = await startLoadApi(['--expose-gc', '--expose-internals', `--import=${probe}`], {
    PANTHEON_SOAK_PROBE_PORT: String(probePort),
    ...BOUNDS,
  });
  try {
    const users = await makeUsers(api.port, USERS);
    const load = await SoakLoad.create(users, new Connection(api.port));
    await load.loadParser();
    load.start(GAP_MS);
    const points = await takeSamples(load, probePort, warmUpMs, durationMs);
    await load.end();
    report(points, load);
  } finally {
    await api.close();
  }
}

async function takeSamples(
  load: SoakLoad,
  probePort: number,
  warmUpMs: number,
  durationMs: number,
): Promise<readonly Point[]> {
  const bar = await startProgressBar('Seconds ', (warmUpMs + durationMs) / 1000);
  for (let waitedMs = 0; waitedMs < warmUpMs; waitedMs += SECOND_MS) {
    await sleep(SECOND_MS);
    bar.update((waitedMs + SECOND_MS) / 1000);
  }
  const sample = async (): Promise<ProbeSample> => {
    await load.pause();
    await sleep(SETTLE_MS);
    const response = await fetch(`http://127.0.0.1:${probePort}/`, {
      headers: { connection: 'close' },
    });
    if (response.status !== 200) throw new Error(`The probe failed: ${await response.text()}`);
    load.resume();
    return (await response.json()) as ProbeSample;
  };
  // Collects the garbage of the warm-up.
  await sample();
  const everyMs = Math.max(5_000, durationMs / MOST_SAMPLES);
  const startedMs = performance.now();
  const points: Point[] = [];
  for (let dueMs = everyMs; dueMs <= durationMs; dueMs += everyMs) {
    await sleep(Math.max(0, startedMs + dueMs - performance.now()));
    points.push([performance.now() - startedMs, await sample()]);
    bar.update(Math.round((warmUpMs + dueMs) / 1000));
  }
  bar.stop();
  return points;
}

function minutesOf(text: string, name: string): number {
  return (text === '0' ? 0 : wholeNumber(name, text)) * 60_000;
}

interface Row {
  readonly trend: Trend;
  readonly quantity: keyof ProbeSample;
  readonly limitPerHour: number;
  readonly limitRise: number;
  readonly isFlat: boolean;
}

function report(points: readonly Point[], load: SoakLoad): void {
  const rows = (Object.keys(TOLERANCES) as (keyof ProbeSample)[]).map((quantity): Row => {
    const trend = trendOf(points.map(([atMs, sample]) => [atMs, sample[quantity]] as const));
    const tolerance = TOLERANCES[quantity];
    return {
      quantity,
      trend,
      limitPerHour: tolerance.perHour,
      limitRise: tolerance.rise,
      isFlat: isFlat(trend, tolerance),
    };
  });
  const isGood = load.errors.length === 0 && rows.every((row) => row.isFlat);
  if (!isGood) process.exitCode = 1;
  if (values.json) {
    const samples = points.map(([atMs, sample]) => ({ atMs: Math.round(atMs), ...sample }));
    const done = Object.fromEntries(load.counts);
    const { errors, refused } = load;
    console.log(
      JSON.stringify({ benchmark: 'soak', samples, rows, done, refused, errors, isGood }),
    );
    return;
  }
  printTable(
    rows.map(({ quantity, trend, limitRise, isFlat }) => ({
      quantity,
      first: trend.first,
      last: trend.last,
      'slope/h': trend.slopePerHour,
      '±': trend.marginPerHour,
      rise: trend.rise,
      'rise limit': limitRise,
      verdict: isFlat ? 'flat' : 'GROWS',
    })),
  );
  console.log(`${points.length} samples at rest, after a collection of garbage.`);
  console.log([...load.counts].map(([name, count]) => `${name} ${count}`).join(', '));
  console.log(`Refused because the machine had no room: ${load.refused}`);
  console.log(SETTINGS_NOTE);
  console.log(
    'What is bounded is bounded tightly, so that it is full after the warm-up: cache 1 MiB and 1,000 tags, 100 tokens and principals, 256 reads and keys learnt of a namespace, 10 series of metrics; threads end after a second without work.',
  );
  console.log(`Errors: ${load.errors.length}${load.errors[0] ? ` (${load.errors[0]})` : ''}`);
  console.log(`Flat, no errors: ${isGood ? 'yes' : 'NO'}`);
}

if (values.help) console.log(HELP);
else await main();
