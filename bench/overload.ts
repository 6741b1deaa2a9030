/**
 * `npm run bench:overload`: what admission control makes of more requests than a server can answer. The
 * whole API with two more handlers, one that computes for 4 ms and one that waits for 20 ms as one of
 * twenty at a time, is loaded by another process with requests at random times that do not wait for
 * answers (an open model), at multiples of the capacity that is measured before each run, with admission
 * and without. Prints goodput (answers of 200 within 500 ms), latency of the admitted from when a request
 * should have been sent, refusals by cause, and how health and authentication fare meanwhile. `--json`
 * prints one JSON document, `--quick` takes a minute. Fails when a verdict is not met.
 */
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { databaseParts } from '../apps/shared/src/database-parts.js';
import { printReport, type TargetReport, verdictsOf } from './overload/report.js';
import { CPU_MS, IO_MS, IO_SLOTS } from './overload/protocol.js';
import { capacityOf, measure, Server, type Target } from './overload/run.js';
import { openBenchDatabase } from './support/bench-database.js';
import { percentilesOf } from './support/percentiles.js';
import { describePlatform, logInAt } from './support/platform-client.js';

const TARGETS: readonly Target[] = [
  { name: `${CPU_MS} ms of CPU`, path: '/v1/bench/cpu', busyConnections: 4 },
  { name: `${IO_MS} ms of I/O, ${IO_SLOTS} at once`, path: '/v1/bench/io', busyConnections: 24 },
];
const UNLOADED = 0.1;

interface Plan {
  readonly factors: readonly number[];
  readonly runMs: number;
  readonly capacityMs: number;
}

const FULL: Plan = { factors: [0.5, 1, 2, 3], runMs: 8_000, capacityMs: 2_000 };
const QUICK: Plan = { factors: [2, 3], runMs: 4_000, capacityMs: 1_000 };

async function main(): Promise<void> {
  const plan = process.argv.includes('--quick') ? QUICK : FULL;
  const database = await openBenchDatabase(databaseParts);
  describePlatform(database.url);
  const server = await Server.start(fileURLToPath(import.meta.url));
  try {
    const authorization = await logInAt(`http://127.0.0.1:${server.port}`);
    const reports: TargetReport[] = [];
    for (const target of TARGETS)
      reports.push(await measureTarget(server, target, plan, authorization));
    const verdicts = reports.flatMap((report) => verdictsOf(report));
    if (process.argv.includes('--json')) {
      const { node } = process.versions;
      console.log(JSON.stringify({ benchmark: 'overload', node, reports, verdicts }));
    } else {
      for (const report of reports) printReport(report);
      for (const { text, isMet } of verdicts) console.log(`${isMet ? 'met   ' : 'MISSED'} ${text}`);
    }
    if (verdicts.some(({ isMet }) => !isMet)) process.exitCode = 1;
  } finally {
    server.stop();
    await database.close();
  }
}

async function measureTarget(
  server: Server,
  target: Target,
  { factors, runMs, capacityMs }: Plan,
  authorization: string,
): Promise<TargetReport> {
  const capacity = (): Promise<number> => capacityOf(server, target, capacityMs, authorization);
  const run = async (perSecond: number, enabled: boolean) => {
    await server.ask({ enabled });
    return measure(server, target, perSecond, runMs, authorization);
  };
  // The first requests are compiled while they are served.
  await capacity();
  const first = await capacity();
  await run(first * UNLOADED, true);
  const unloaded = await run(first * UNLOADED, true);
  const runs: TargetReport['runs'][number][] = [];
  for (const factor of factors) {
    const before = await capacity();
    const withLayer = await run(before * factor, true);
    const after = await capacity();
    const without = await run(before * factor, false);
    runs.push({ factor, capacityPerSecond: (before + after) / 2, withLayer, without });
  }
  const capacities = runs.map(({ capacityPerSecond }) => capacityPerSecond);
  const capacityPerSecond = percentilesOf([first, ...capacities]).p50;
  return { target: target.name, capacityPerSecond, unloaded, runs };
}

const HELP = `npm run bench:overload -- [--quick] [--json]
Goodput, latency and refusals at 0.5, 1, 2 and 3 times the capacity, with admission control and without.`;

if (process.argv.includes('--serve')) {
  const { serve } = await import('./overload/server.js');
  await serve();
} else if (process.argv.includes('--help')) console.log(HELP);
else {
  await main();
  process.exit();
}
