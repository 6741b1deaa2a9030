/**
 * `npm run bench:json`: what it costs to write the answers of busy routes as JSON, by their schema and
 * by `JSON.stringify`, and how much of the larger ones compression keeps off the network.
 */
import { parseArgs } from 'node:util';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { Reflector } from '@nestjs/core';
import { authControllers } from '#libs/auth';
import { contextControllers } from '#libs/context';
import { compileSerializer, DocumentedAnswers, hasTimes } from '#libs/http';
import type { z } from 'zod';
import { readMarkdownCorpus } from './corpus/markdown-corpus.js';
import { type BenchApi, openBenchApi } from './support/bench-api.js';
import { ownCpuMs } from './support/cpu-meter.js';
import { printTable } from './support/print-table.js';

const HELP = `npm run bench:json -- [--json]

1. CPU time to write an answer as JSON, and to turn it into bytes: by JSON.stringify and by the
   schema of the handler, in rounds by turns, the least of each. "used" says what the API does: the
   schema is used where an answer always has times in it. Texts are written by JSON.stringify either
   way, so an answer that is mostly text gains little. Target: 2 × for answers with times and no text.
2. Network efficiency: 1 - bytes sent / bytes of JSON, over the answers of more than 10 KB.
   Target: more than 85 %.

PostgreSQL: DATABASE_URL, in a database of its own, or an embedded one in a temporary folder.
`;

const TARGETS = { timesFaster: 2, efficiency: 0.85 };
const ROUNDS = 25;
const ROUND_MS = 8;
const LARGE_BYTES = 10_240;
const ENTRIES = 1_000;
const ADMINISTRATOR = { email: 'admin@bench.example', password: 'correct horse battery staple' };
const UNPACK = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync } as const;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A route, and the handler whose schema it has. */
interface Route {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly handler: readonly [controller: string, method: string];
}

const ROUTES: readonly Route[] = [
  route('entries, 50', 'GET', '/v1/sources/notes/entries?limit=50', 'EntriesController.page'),
  route(
    'entries, 50 with text',
    'GET',
    '/v1/sources/notes/entries?limit=50&fields=text',
    'EntriesController.page',
  ),
  route('sources, 100', 'GET', '/v1/sources?limit=100', 'SourcesController.list'),
  route('me', 'GET', '/v1/auth/me', 'AuthController.me'),
  route('check', 'POST', '/v1/auth/check', 'AccessController.check', {
    resource: 'source:notes',
    action: 'read',
  }),
  route('compile', 'POST', '/v1/contexts/compile', 'ContextsController.compile', {
    sources: [{ id: 'notes', label: 'notes' }],
  }),
];

const LARGE_PATHS = [
  '/v1/sources/notes/entries?limit=1000',
  '/v1/sources/notes/entries?limit=100',
  '/v1/sources/notes/entries?limit=50',
  '/v1/sources/notes/entries?limit=1000&fields=text',
  '/v1/sources/notes/entries?limit=100&fields=text',
  '/v1/sources?limit=100',
  '/docs/openapi.json',
];

function route(
  name: string,
  method: 'GET' | 'POST',
  path: string,
  handler: string,
  body?: object,
): Route {
  const [controller = '', methodName = ''] = handler.split('.');
  return {
    name,
    method,
    path,
    handler: [controller, methodName],
    ...(body === undefined ? {} : { body }),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const api = await openBenchApi({
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
  });
  try {
    const token = await prepare(api);
    const written = await writing(api, token);
    const sent = await sending(api, token);
    const total = (of: (one: (typeof sent)[number]) => number): number =>
      sent.reduce((sum, one) => sum + of(one), 0);
    const efficiency =
      1 - total(({ sentBytes }) => sentBytes) / total(({ jsonBytes }) => jsonBytes);
    const isSlow = written.some(
      ({ used, times, answer }) =>
        used === 'schema' && !answer.includes('text') && times < TARGETS.timesFaster,
    );
    if (isSlow || efficiency <= TARGETS.efficiency) process.exitCode = 1;
    if (values.json === true) {
      console.log(
        JSON.stringify({
          benchmark: 'json',
          node: process.versions.node,
          targets: TARGETS,
          written,
          sent,
          efficiency,
        }),
      );
      return;
    }
    console.log(
      `Writing an answer as bytes of JSON, µs of CPU (least of ${ROUNDS} rounds by turns)\n`,
    );
    printTable(written);
    console.log('Answers of more than 10 KB over the network\n');
    printTable(sent);
    console.log(
      `Network efficiency = 1 - Σ sent / Σ JSON = 1 - ${total(({ sentBytes }) => sentBytes)} / ${total(({ jsonBytes }) => jsonBytes)} = ${(efficiency * 100).toFixed(1)} % (target: more than ${TARGETS.efficiency * 100} %)`,
    );
    console.log(
      `Answers with times and no text: ${isSlow ? 'not all' : 'all'} at least ${TARGETS.timesFaster} × as fast by their schema.`,
    );
  } finally {
    await api.close();
  }
}

/** A source with sections of Markdown, a hundred others, and a token. */
async function prepare(api: BenchApi): Promise<string> {
  const login = await ask(api, 'POST', '/v1/auth/login', undefined, ADMINISTRATOR);
  const token = String(login['accessToken']);
  for (let at = 0; at < 100; at += 1) {
    const name = at === 0 ? 'notes' : `notes-${at}`;
    await ask(api, 'POST', '/v1/sources', token, { name, kind: 'document' });
  }
  const sections = await readMarkdownCorpus();
  const lines = sections
    .slice(0, ENTRIES)
    .map(({ text }) => JSON.stringify({ text, author: 'ann' }));
  await api.send('POST', '/v1/sources/notes/entries/bulk', token, lines.join('\n'));
  return token;
}

async function ask(
  api: BenchApi,
  method: 'GET' | 'POST',
  path: string,
  token: string | undefined,
  body?: object,
): Promise<Record<string, unknown>> {
  const { status, text } = await api.send(method, path, token, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

async function writing(api: BenchApi, token: string) {
  const rows = [];
  for (const { name, method, path, body, handler } of ROUTES) {
    const value = withTimes(await ask(api, method, path, token, body));
    const schema = schemaOf(...handler);
    const serialize = compileSerializer(schema);
    const [stringifyUs = 0, schemaUs = 0] = leastUs([
      () => Buffer.from(JSON.stringify(value)),
      () => Buffer.from(serialize(value)),
    ]);
    rows.push({
      answer: name,
      bytes: Buffer.byteLength(serialize(value)),
      'JSON.stringify': stringifyUs,
      schema: schemaUs,
      times: stringifyUs / schemaUs,
      used: hasTimes(schema) ? 'schema' : 'JSON.stringify',
    });
  }
  return rows;
}

/** Handlers answer times as dates. */
function withTimes(value: unknown): unknown {
  if (typeof value === 'string') return ISO_TIME.test(value) ? new Date(value) : value;
  if (Array.isArray(value)) return value.map(withTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTimes(one)]));
}

function schemaOf(controller: string, method: string): z.ZodType {
  const type = [...authControllers, ...contextControllers].find(({ name }) => name === controller);
  const handler = (
    type?.prototype as Readonly<Record<string, (...args: never[]) => unknown>> | undefined
  )?.[method];
  const schema =
    handler === undefined ? undefined : new Reflector().get(DocumentedAnswers, handler)?.schema;
  if (schema === undefined) throw new TypeError(`${controller}.${method} states no schema.`);
  return schema;
}

/** Rounds by turns, so that what else the machine does falls on all of them; the least of each. */
function leastUs(calls: readonly (() => Buffer)[]): number[] {
  const counts = calls.map((call) => callsPerRound(call));
  const least = calls.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, call] of calls.entries()) {
      least[at] = Math.min(least[at] as number, usPerCall(call, counts[at] as number));
    }
  }
  return least;
}

function callsPerRound(call: () => Buffer): number {
  let calls = 100;
  while (usPerCall(call, calls) * calls < ROUND_MS * 1_000) calls *= 2;
  return calls;
}

let bytesMade = 0;

function usPerCall(call: () => Buffer, calls: number): number {
  const startedMs = ownCpuMs();
  for (let at = 0; at < calls; at += 1) bytesMade += call().length;
  return ((ownCpuMs() - startedMs) * 1_000) / calls;
}

async function sending(api: BenchApi, token: string) {
  const fastify = api.app.getHttpAdapter().getInstance();
  const rows = [];
  for (const path of LARGE_PATHS) {
    const sizes: Record<string, number> = {};
    let jsonBytes = 0;
    for (const coding of ['br', 'gzip', 'deflate'] as const) {
      const { rawPayload, headers } = await fastify.inject({
        url: path,
        headers: { authorization: `Bearer ${token}`, 'accept-encoding': coding },
      });
      const isPacked = headers['content-encoding'] === coding;
      sizes[coding] = rawPayload.length;
      jsonBytes = (isPacked ? UNPACK[coding](rawPayload) : rawPayload).length;
    }
    if (jsonBytes < LARGE_BYTES) continue;
    const { br = 0, gzip = 0, deflate = 0 } = sizes;
    rows.push({
      answer: path,
      jsonBytes,
      sentBytes: br,
      br: percent(br, jsonBytes),
      gzip: percent(gzip, jsonBytes),
      deflate: percent(deflate, jsonBytes),
    });
  }
  return rows;
}

function percent(sentBytes: number, jsonBytes: number): string {
  return `${((1 - sentBytes / jsonBytes) * 100).toFixed(1)} %`;
}

await main();
process.exit();
