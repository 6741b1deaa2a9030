/**
 * `npm run bench:hitratio`: misses of every eviction policy on synthetic, recorded and given traces,
 * beside those of LRU. The same arguments give the same figures on every machine.
 */
import { parseArgs } from 'node:util';
import { EvictionPolicyRegistry } from '#libs/cache';
import { PantheonError } from '#libs/core';
import { builtInTraces, recordedTraces } from './traces/catalogue.js';
import { startProgress } from './traces/progress.js';
import { readTrace, TRACE_FORMATS, TraceError } from './traces/read-trace.js';
import { replay, type Replay } from './traces/replay.js';
import { printReport, summarise, type Cell } from './traces/report.js';
import type { Trace } from './traces/trace.js';

const MIN_ITEMS = 10;

/** Arguments that cannot be served; the message says which and why. */
class UsageError extends Error {}

const registry = new EvictionPolicyRegistry();

const HELP = `Misses of every eviction policy relative to LRU, by trace and cache size.

  npm run bench:hitratio                             all policies on the built-in traces
  npm run bench:hitratio -- --trace arc:OLTP.lis     on another trace too; may be repeated
  npm run bench:hitratio -- --only web07,domain      some of the built-in traces, or "none"
  npm run bench:hitratio -- --policies s3-fifo,lfu   some of the policies, beside LRU
  npm run bench:hitratio -- --sizes 0.01,0.1         sizes as parts of the distinct keys
                                                     (default 0.001,0.01,0.1; at least ${MIN_ITEMS} entries)
  npm run bench:hitratio -- --json                   one JSON document

Policies: ${registry.names.join(', ')}.
Built-in traces: ${Object.keys(builtInTraces).join(', ')}.
"domain" is made from a model of sessions (bench/traces/domain.ts), not recorded; web07 and api-reads
are recorded (bench/traces/data/README.md). "shift" and "phases" change while they run, and are also judged by
phase; every policy has lived through the phases before.

Formats of --trace FORMAT:PATH
  text    one key a line
  int32   32-bit big-endian integers
  int64   64-bit big-endian integers
  arc     lines "start count ignored ignored", each for count consecutive keys
  reads   what npm run bench:record writes
  ndjson  what GET /v1/perf/cache/trace gives
Files that end in .gz are unpacked in process, those in .xz by the program xz.`;

interface Source {
  readonly isRecorded: boolean;
  readonly load: () => Trace | Promise<Trace>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      trace: { type: 'string', multiple: true, default: [] },
      only: { type: 'string', default: Object.keys(builtInTraces).join(',') },
      policies: { type: 'string', default: registry.names.join(',') },
      sizes: { type: 'string', default: '0.001,0.01,0.1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const policies = [...new Set(['lru', ...values.policies.split(',')])];
  const factories = policies.map((policy) => ({ policy, create: registry.get(policy) }));
  const sizes = values.sizes.split(',').map(sizeFrom);
  const sources = [
    ...(values.only === 'none' ? [] : values.only.split(',').map(builtIn)),
    ...values.trace.map(given),
  ];
  const cells: Cell[] = [];
  const progress = await startProgress(sources.length * sizes.length * policies.length);
  try {
    for (const { load, isRecorded } of sources) {
      const trace = await load();
      for (const size of sizes) {
        const items = Math.max(MIN_ITEMS, Math.round(trace.distinct * size));
        const replays: Record<string, Replay> = {};
        for (const { policy, create } of factories) {
          progress.advance(`${trace.name}, ${items} entries, ${policy}`);
          replays[policy] = replay(trace, items, create);
        }
        cells.push(cellOf(trace, isRecorded, items, replays));
      }
    }
  } finally {
    progress.stop();
  }
  const summary = summarise(cells, policies);
  if (values.json) console.log(JSON.stringify({ node: process.version, ...summary, cells }));
  else {
    console.log(`Node ${process.version}`);
    printReport(cells, policies, summary);
  }
}

function cellOf(
  trace: Trace,
  isRecorded: boolean,
  items: number,
  replays: Readonly<Record<string, Replay>>,
): Cell {
  return {
    trace: trace.name,
    items,
    requests: trace.keys.length,
    distinct: trace.distinct,
    isRecorded,
    phases: trace.phases.map(({ name }) => name),
    replays,
  };
}

function sizeFrom(text: string): number {
  const size = Number(text);
  if (size > 0 && size <= 1) return size;
  throw new UsageError(`--sizes takes parts of 1 such as 0.01, not "${text}".`);
}

function builtIn(name: string): Source {
  const load = builtInTraces[name];
  if (load !== undefined) return { load, isRecorded: recordedTraces.has(name) };
  const known = Object.keys(builtInTraces).join(', ');
  throw new UsageError(`There is no built-in trace "${name}". Take some of ${known}, or "none".`);
}

function given(argument: string): Source {
  const colon = argument.indexOf(':');
  const format = TRACE_FORMATS.find((known) => known === argument.slice(0, colon));
  if (format !== undefined) {
    return { load: () => readTrace(argument.slice(colon + 1), format), isRecorded: true };
  }
  throw new UsageError(
    `--trace takes FORMAT:PATH with one of the formats ${TRACE_FORMATS.join(', ')}, not "${argument}".`,
  );
}

/** What the caller did wrong, rather than the program. */
function isUsageFault(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    error instanceof TraceError ||
    error instanceof PantheonError ||
    (error instanceof TypeError &&
      'code' in error &&
      String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

try {
  await main();
} catch (error) {
  if (!isUsageFault(error)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
