/**
 * `npm run bench:http-cache`: what a cached GET costs through the whole pipeline (request id, log,
 * metrics, security headers, token, permission, cache), beside a bare Fastify route and a bare Nest
 * route that return a constant: CPU of the server per request, in rounds that alternate between the
 * three servers, less what each takes when nobody asks. The load comes from another process. `--rounds=N` and `--connections=N` change
 * their number, `--json` prints one JSON document. Fails when the ratio is above its limit.
 */
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastify } from 'fastify';
import { databaseParts } from '../apps/shared/src/database-parts.js';
import { openBenchDatabase } from './support/bench-database.js';
import {
  compareCpuPerRequest,
  reportForComparison,
  type ComparedRequest,
} from './support/cpu-per-request.js';
import { CONSTANT_ANSWER, describePlatform, logInAt } from './support/platform-client.js';
import { printTable } from './support/print-table.js';
import { servePlatform } from './support/served-platform.js';
import { wholeNumber } from './support/whole-number.js';

const VARIANTS = ['bare Fastify', 'bare Nest', 'cached GET of the platform'] as const;
const LIMIT = 1.8;
const ROUNDS = 31;
const ROUND_MS = 250;
const CONNECTIONS = 16;
const IDLE_MS = 3_000;
const SOURCE = { name: 'notes', kind: 'document' };

@Controller('v1/constant')
class ConstantController {
  @Get()
  get(): object {
    return CONSTANT_ANSWER;
  }
}

@Module({ controllers: [ConstantController] })
class ConstantModule {}

async function serve(variant: string): Promise<void> {
  if (variant === 'bare Fastify') {
    const app = fastify();
    app.get('/v1/constant', () => CONSTANT_ANSWER);
    await app.listen({ port: 0, host: '127.0.0.1' });
    report(app.server.address());
  } else if (variant === 'bare Nest') {
    const app = await NestFactory.create<NestFastifyApplication>(
      ConstantModule,
      new FastifyAdapter(),
      { logger: false },
    );
    await app.listen(0, '127.0.0.1');
    report(app.getHttpServer().address());
  } else await serveCached();
}

function report(address: unknown, request?: ComparedRequest): void {
  reportForComparison((address as { readonly port: number }).port, request);
}

/** The API as it runs, with a user who has logged in and a source that it may read. */
async function serveCached(): Promise<void> {
  const app = await servePlatform();
  const url = await app.getUrl();
  const authorization = await logInAt(url);
  const source = await post(`${url}/v1/sources`, SOURCE, { authorization });
  const path = `/v1/sources/${String(source['id'])}`;
  await fetch(url + path, { headers: { authorization } });
  const { headers } = await fetch(url + path, { headers: { authorization } });
  if (headers.get('x-cache') !== 'L1') {
    throw new Error(`GET ${path} does not come from the cache: ${headers.get('x-cache')}`);
  }
  report(app.getHttpServer().address(), { path, headers: { authorization } });
}

async function post(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function main(): Promise<void> {
  const rounds = numberOf('rounds', ROUNDS);
  const connections = numberOf('connections', CONNECTIONS);
  const database = await openBenchDatabase(databaseParts);
  describePlatform(database.url);
  try {
    const results = await compareCpuPerRequest({
      script: fileURLToPath(import.meta.url),
      variants: VARIANTS,
      rounds,
      roundMs: ROUND_MS,
      connections,
      idleMs: IDLE_MS,
      path: '/v1/constant',
    });
    const rows = results.map(({ variant, cpuUsPerRequest, overheadPercent, ...wall }) => ({
      server: variant,
      cpuUsPerRequest,
      ratio: 1 + overheadPercent / 100,
      requestsPerCpuSecond: Math.round(1_000_000 / cpuUsPerRequest),
      requestsPerSecond: Math.round(wall.requestsPerSecond),
      p50Ms: wall.p50Ms,
      idleCpuMsPerSecond: wall.idleCpuMsPerSecond,
    }));
    const ratio = rows.at(-1)?.ratio ?? Number.NaN;
    if (process.argv.includes('--json')) {
      const { node } = process.versions;
      console.log(
        JSON.stringify({ benchmark: 'http-cache', node, rounds, connections, limit: LIMIT, rows }),
      );
    } else {
      printTable(rows);
      console.log(
        `A cached GET costs ${ratio.toFixed(2)} × a bare Fastify route (limit ${LIMIT}); medians of ${rounds} rounds, ${connections} connections, Node ${process.versions.node}.`,
      );
    }
    if (!(ratio <= LIMIT)) process.exitCode = 1;
  } finally {
    await database.close();
  }
}

function numberOf(name: string, otherwise: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return given === undefined ? otherwise : wholeNumber(name, given.slice(name.length + 3));
}

const HELP = `npm run bench:http-cache -- [--rounds=${ROUNDS}] [--connections=${CONNECTIONS}] [--json]
CPU of a cached GET through the whole platform, beside bare Fastify and bare Nest.`;

const variant = process.argv.find((argument) => argument.startsWith('--serve='))?.slice(8);
if (variant !== undefined) await serve(variant);
else if (process.argv.includes('--help')) console.log(HELP);
else {
  await main();
  process.exit();
}
