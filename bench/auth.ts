/**
 * `npm run bench:auth`: what identity costs. (1) From a token to its principal, from memory and not;
 * (2) a permission check, for sets of 10 to 10,000 grants, which `npm run bench:permissions` prints
 * alone; (3) operations on sessions; (4) the whole pipeline of a request (id, context, log, metrics, security headers, limits,
 * token, permission) on a route without a cache, beside bare Nest on Fastify, layer by layer, in
 * rounds that alternate between all servers. Fails when a figure is above its limit.
 */
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { databaseParts } from '../apps/shared/src/database-parts.js';
import { CACHED_STEP, tokenCosts } from './auth/tokens.js';
import { checkCosts, scalingCosts } from './auth/permissions.js';
import { serve, SERVERS, WHOLE } from './auth/pipeline.js';
import { sessionCosts } from './auth/sessions.js';
import { openBenchDatabase } from './support/bench-database.js';
import { compareCpuPerRequest } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';
import { describePlatform } from './support/platform-client.js';
import { wholeNumber } from './support/whole-number.js';

const LIMITS = { tokenUs: 2, checkNs: 300, sessionMs: 2, pipelineRatio: 2 };
const ROUNDS = 61;
const ROUND_MS = 120;
const WARM_UP_REQUESTS = 20_000;
const CONNECTIONS = 16;
const IDLE_MS = 3_000;

/** A figure that has a limit. */
interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
}

interface Part {
  readonly tables: Readonly<Record<string, readonly Record<string, string | number>[]>>;
  readonly verdicts: readonly Verdict[];
}

async function tokens(): Promise<Part> {
  const rows = await tokenCosts();
  const measured = rows.find(({ step }) => step === CACHED_STEP)?.cpuUs ?? Number.NaN;
  return {
    tables: { 'From a token to its principal (least of 9 rounds)': rows.map(plain) },
    verdicts: [{ what: 'token to principal, cached, µs', measured, limit: LIMITS.tokenUs }],
  };
}

function permissions(): Part {
  const rows = checkCosts();
  const worst = Math.max(
    ...rows.flatMap(({ routeNs, pathNs, scopedNs }) => [routeNs, pathNs, scopedNs]),
  );
  return {
    tables: {
      'A permission check (CPU, least of 9 rounds)': rows.map(plain),
      'A check by number of grants and by segments of the path': scalingCosts().map(plain),
    },
    verdicts: [{ what: 'permission check, ns', measured: worst, limit: LIMITS.checkNs }],
  };
}

async function sessions(): Promise<Part> {
  const rows = await sessionCosts();
  return {
    tables: { 'Operations on sessions (least of 9 rounds)': rows.map(plain) },
    verdicts: [
      {
        what: 'slowest operation on a session, ms',
        measured: Math.max(...rows.map(({ wallUs }) => wallUs)) / 1000,
        limit: LIMITS.sessionMs,
      },
    ],
  };
}

async function pipeline(): Promise<Part> {
  const rounds = numberOf('rounds', ROUNDS);
  const connections = numberOf('connections', CONNECTIONS);
  const database = await openBenchDatabase(databaseParts);
  describePlatform(database.url);
  try {
    const results = await compareCpuPerRequest({
      script: fileURLToPath(import.meta.url),
      variants: chosenServers(),
      rounds,
      roundMs: ROUND_MS,
      connections,
      idleMs: IDLE_MS,
      warmUpRequests: WARM_UP_REQUESTS,
      path: '/',
    });
    const bareUs = results[0]?.quietCpuUsPerRequest ?? Number.NaN;
    const rows = results.map((result) => ({
      server: result.variant,
      cpuUs: result.quietCpuUsPerRequest,
      ratio: result.quietCpuUsPerRequest / bareUs,
      medianCpuUs: result.cpuUsPerRequest,
      medianRatio: 1 + result.overheadPercent / 100,
      requestsPerSecond: Math.round(result.requestsPerSecond),
      p50Ms: result.p50Ms,
      idleCpuMsPerSecond: result.idleCpuMsPerSecond,
    }));
    const measured = rows.find(({ server }) => server === WHOLE)?.ratio;
    const title = `CPU per request in the quietest tenth of ${rounds} rounds (${connections} connections)`;
    return {
      tables: { [title]: rows },
      verdicts:
        measured === undefined
          ? []
          : [{ what: 'whole pipeline, × bare Nest', measured, limit: LIMITS.pipelineRatio }],
    };
  } finally {
    await database.close();
  }
}

/** All of them, or those whose name has one of the texts of `--servers=a,b`; always the first. */
function chosenServers(): string[] {
  const texts = textOf('servers')?.split(',');
  return SERVERS.map(({ name }) => name).filter(
    (name, index) =>
      index === 0 || texts === undefined || texts.some((text) => name.includes(text)),
  );
}

function plain(row: object): Record<string, string | number> {
  return { ...row };
}

function textOf(name: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
}

function numberOf(name: string, otherwise: number): number {
  const given = textOf(name);
  return given === undefined ? otherwise : wholeNumber(name, given);
}

const PARTS: Readonly<Record<string, () => Part | Promise<Part>>> = {
  tokens,
  permissions,
  sessions,
  pipeline,
};

async function main(): Promise<void> {
  const only = textOf('only');
  const names = only === undefined ? Object.keys(PARTS) : [only];
  const parts: Part[] = [];
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`--only is one of ${Object.keys(PARTS).join(', ')}.`);
    parts.push(await part());
  }
  const verdicts = parts.flatMap((part) => part.verdicts);
  if (process.argv.includes('--json')) {
    const tables = Object.assign({}, ...parts.map((part) => part.tables)) as object;
    console.log(
      JSON.stringify({ benchmark: 'auth', node: process.versions.node, tables, verdicts }),
    );
  } else {
    for (const part of parts) {
      for (const [title, rows] of Object.entries(part.tables)) {
        console.log(title);
        printTable(rows);
      }
    }
    for (const { what, measured, limit } of verdicts) {
      console.log(
        `${measured <= limit ? 'ok   ' : 'ABOVE'}  ${what}: ${measured.toFixed(2)}, limit ${limit}`,
      );
    }
  }
  if (!verdicts.every(({ measured, limit }) => measured <= limit)) process.exitCode = 1;
}

const HELP = `npm run bench:auth -- [--only=tokens|permissions|sessions|pipeline] [--rounds=${ROUNDS}] [--connections=${CONNECTIONS}]
                      [--servers=text,text] [--json]
What identity costs: a token, a permission, a session, and the whole pipeline of a request beside bare Nest.
--servers measures only bare Nest and the servers whose name has one of the texts.`;

const variant = process.argv.find((argument) => argument.startsWith('--serve='))?.slice(8);
if (variant !== undefined) await serve(variant);
else if (process.argv.includes('--help')) console.log(HELP);
else {
  await main();
  process.exit();
}
