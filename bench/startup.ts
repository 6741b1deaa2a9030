/**
 * `npm run bench:startup`: how long a start takes until /health/ready answers 200, and how much
 * memory the API then holds. `--runs=<n>` (default 7), `--compare` also runs the programs as
 * compiled, before they are bundled, `--json` prints one JSON document.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgres } from '../libs/persistence/src/embedded/embedded-postgres.js';
import { findFreePort } from '../libs/persistence/src/embedded/free-port.js';
import { median } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';

const LIMITS = { 'npm start': 3_000, 'API alone': 1_200, 'API alone, RSS': 150 } as const;
const POLL_MS = 2;
const GIVE_UP_MS = 60_000;
/** The memory is read so long after the start, when what the start left behind was collected. */
const SETTLE_MS = 1_000;

interface Program {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}

interface Sample {
  readonly readyMs: number;
  readonly rssMib: number;
}

interface Row {
  readonly measured: string;
  readonly unit: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly limit: number | '';
}

async function measure({ command, environment }: Program): Promise<Sample> {
  const port = await findFreePort();
  const [program, ...args] = command;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...environment, PORT: String(port), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  try {
    await untilReady(child, port, startedAt + GIVE_UP_MS, output);
    const readyMs = performance.now() - startedAt;
    await sleep(SETTLE_MS);
    const rssMib = await rssMibOf(child.pid ?? 0);
    return { readyMs, rssMib };
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

async function untilReady(
  child: ChildProcess,
  port: number,
  giveUpAt: number,
  output: readonly Buffer[],
): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
      await response.arrayBuffer();
      if (response.status === 200) return;
    } catch {
      // Nobody listens yet.
    }
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      throw new Error(`The program is not ready:\n${Buffer.concat(output).toString()}`);
    }
    await sleep(POLL_MS);
  }
}

/** Memory of a program, or of what npm runs for it. Linux only; elsewhere it is not a number. */
async function rssMibOf(pid: number): Promise<number> {
  try {
    const [thread = ''] = await readdir(`/proc/${pid}/task`);
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const isNpm = /^Name:\s+npm/m.test(status);
    const child = Number(children.split(' ')[0]);
    if (isNpm && child > 0) return await rssMibOf(child);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

async function sampleAll(
  programs: readonly Program[],
  runs: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(programs.map(({ name }) => [name, []]));
  // The first round creates the databases, and fills the caches of the system.
  for (let round = 0; round <= runs; round += 1) {
    for (const program of programs) {
      const sample = await measure(program);
      if (round > 0) samples.get(program.name)?.push(sample);
    }
  }
  return samples;
}

function toRows(samples: ReadonlyMap<string, readonly Sample[]>): Row[] {
  const limits: Readonly<Record<string, number>> = LIMITS;
  return [...samples].flatMap(([name, runs]) =>
    (
      [
        [name, 'ms', runs.map(({ readyMs }) => readyMs)],
        [`${name}, RSS`, 'MiB', runs.map(({ rssMib }) => rssMib)],
      ] as const
    ).map(([measured, unit, values]) => ({
      measured,
      unit,
      median: round(median(values)),
      least: round(Math.min(...values)),
      most: round(Math.max(...values)),
      limit: limits[measured] ?? '',
    })),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const args = process.argv.slice(2);
const runs = Number(args.find((arg) => arg.startsWith('--runs='))?.slice(7) ?? 7);
const folder = await mkdtemp(join(tmpdir(), 'pantheon-bench-'));
// When root measures, the user that runs PostgreSQL has to pass through.
await chmod(folder, 0o711);
const postgres = await EmbeddedPostgres.start({ dataDir: join(folder, 'shared') });
try {
  const alone = { DATABASE_URL: postgres.url };
  const embedded = { DATABASE_URL: '', PANTHEON_DATA_DIR: join(folder, 'own') };
  const programs: Program[] = [
    { name: 'npm start', command: ['npm', 'start'], environment: embedded },
    { name: 'API alone', command: [process.execPath, 'dist/bin/api.js'], environment: alone },
  ];
  if (args.includes('--compare')) {
    programs.push({
      name: 'API alone, not bundled',
      command: [process.execPath, 'dist/apps/api/src/main.js'],
      environment: alone,
    });
  }
  const rows = toRows(await sampleAll(programs, runs));
  if (args.includes('--json')) console.log(JSON.stringify({ benchmark: 'startup', runs, rows }));
  else printTable(rows);
  if (rows.some(({ median, limit }) => limit !== '' && !(median < limit))) process.exitCode = 1;
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
