/**
 * `npm run bench:startup`: how long a start takes until /health/ready answers 200, and how much
 * memory the API then holds. `--runs=<n>` (default 7), `--compare` also runs the programs as
 * compiled, before they are bundled, `--json` prints one JSON document.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgres } from '../libs/persistence/src/embedded/embedded-postgres.js';
import { median } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';
import { API_PROGRAM, startProgram } from './support/program.js';

const LIMITS = { 'npm start': 3_000, 'API alone': 1_200, 'API alone, RSS': 150 } as const;
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
  const program = await startProgram(command, environment);
  try {
    await sleep(SETTLE_MS);
    return { readyMs: program.readyMs, rssMib: await program.rssMib() };
  } finally {
    await program.stop();
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
    { name: 'API alone', command: API_PROGRAM, environment: alone },
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
