/**
 * `npm run bench:cache:autotune`: configurations that are generated from workloads beside the best
 * of a grid search. The same arguments give the same figures on every machine.
 */
import { parseArgs } from 'node:util';
import {
  costOf,
  EvictionAdvisor,
  EvictionPolicyRegistry,
  LifetimeAdvisor,
  StrategyPlanner,
  WorkloadAnalyser,
} from '#libs/cache';
import { ownCpuMs } from './support/cpu-meter.js';
import { printTable } from './support/print-table.js';
import { wholeNumber } from './support/whole-number.js';
import { builtInTraces } from './traces/catalogue.js';
import { startProgress } from './traces/progress.js';
import { measure, workloadOfTrace } from './traces/workload.js';

const TRACES = ['zipf 0.7', 'zipf 0.9', 'zipf 1.1', 'scan', 'loop', 'shift', 'web07', 'domain'];
/** Sizes of the grid as parts of the room, and lives as parts of the longest. */
const SIZES = [1, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.06, 0.03, 0.01];
const LIVES = [1, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.06, 0.03];
const MAX_BEHIND = 1.05;
const CONSTRAINTS = {
  maxBytes: 8 * 1024 * 1024,
  maxStalenessMs: 60_000,
  maxStaleRatio: 0.01,
  memoryPrice: 0.02,
} as const;

const HELP = `Configurations generated from workloads, beside the best of a grid search.

  npm run bench:cache:autotune                          all traces, their first 60,000 reads
  npm run bench:cache:autotune -- --only web07,domain   some of them
  npm run bench:cache:autotune -- --reads 500000        more of each
  npm run bench:cache:autotune -- --json                one JSON document

Traces: ${TRACES.join(', ')}; sizes of values and changes of keys are drawn (bench/traces/workload.ts).
Cost is the part of the reads that miss, and ${CONSTRAINTS.memoryPrice} for all of the room of 8 MiB, in parts. At most
${CONSTRAINTS.maxStaleRatio * 100} % of the reads may get a value that has changed. Each configuration is run through a real
store of the first level.`;

interface Tried {
  readonly policy: string;
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly hitRatio: number;
  readonly staleRatio: number;
  readonly cost: number;
}

interface Row {
  readonly trace: string;
  readonly generated: Tried;
  readonly best: Tried;
  readonly behind: number;
  readonly defaults: Tried;
  readonly planCpuMs: number;
}

const policies = new EvictionPolicyRegistry();
const lifetimes = new LifetimeAdvisor(policies);
const planner = new StrategyPlanner(
  new WorkloadAnalyser(),
  new EvictionAdvisor(policies, lifetimes),
  lifetimes,
);

type Workload = ReturnType<typeof workloadOfTrace>;

function attempt(workload: Workload, policy: string, maxBytes: number, ttlMs: number): Tried {
  const measured = measure(workload, { policy: policies.get(policy), maxBytes, ttlMs });
  return { policy, maxBytes, ttlMs, ...measured, cost: costOf(measured, maxBytes, CONSTRAINTS) };
}

/** The cheapest configuration of the grid that keeps to the bound on stale reads. */
function searchGrid(workload: Workload, onPolicy: (policy: string) => void): Tried {
  let best: Tried | undefined;
  for (const policy of policies.names) {
    onPolicy(policy);
    for (const size of SIZES) {
      for (const life of LIVES) {
        const maxBytes = Math.round(CONSTRAINTS.maxBytes * size);
        const ttlMs = Math.round(CONSTRAINTS.maxStalenessMs * life);
        const tried = attempt(workload, policy, maxBytes, ttlMs);
        // Shorter lives only miss more, once the bound is kept.
        const isAllowed = tried.staleRatio <= CONSTRAINTS.maxStaleRatio;
        if (isAllowed && (best === undefined || tried.cost < best.cost)) best = tried;
        if (isAllowed) break;
      }
    }
  }
  if (best === undefined) throw new Error('No configuration of the grid keeps to the bounds.');
  return best;
}

async function run(name: string, reads: number, onPolicy: (policy: string) => void): Promise<Row> {
  const load = builtInTraces[name];
  if (load === undefined) throw new Error(`There is no trace "${name}": ${TRACES.join(', ')}.`);
  const trace = await load();
  const workload = workloadOfTrace({ ...trace, keys: trace.keys.slice(0, reads) });
  const startedCpuMs = ownCpuMs();
  const { configuration } = await planner.plan({ workload, constraints: CONSTRAINTS });
  const planCpuMs = ownCpuMs() - startedCpuMs;
  const { policy, maxBytes, ttlMs } = configuration;
  const generated = attempt(workload, policy, maxBytes, ttlMs);
  const best = searchGrid(workload, onPolicy);
  const defaults = attempt(workload, 's3-fifo', CONSTRAINTS.maxBytes, generated.ttlMs);
  return { trace: name, generated, best, behind: generated.cost / best.cost, defaults, planCpuMs };
}

function describe({ policy, maxBytes, ttlMs }: Tried): string {
  return `${policy} ${(maxBytes / 1024 / 1024).toFixed(2)} MiB ${ttlMs} ms`;
}

function verdictOn(isMet: boolean): string {
  return isMet ? 'met   ' : 'MISSED';
}

function print(rows: readonly Row[]): void {
  printTable(
    rows.map(({ trace, generated, best, behind, defaults, planCpuMs }) => ({
      trace,
      generated: describe(generated),
      'hits %': generated.hitRatio * 100,
      'stale %': generated.staleRatio * 100,
      cost: generated.cost.toFixed(4).padStart(6),
      'best of grid': describe(best),
      'cost ': best.cost.toFixed(4).padStart(6),
      'generated/best': behind.toFixed(3).padStart(14),
      'default cost': defaults.cost.toFixed(4).padStart(12),
      'plan CPU ms': Math.round(planCpuMs),
    })),
  );
  const worst = Math.max(...rows.map(({ behind }) => behind));
  const mean = Math.exp(rows.reduce((sum, { behind }) => sum + Math.log(behind), 0) / rows.length);
  const stalest = Math.max(...rows.map(({ generated }) => generated.staleRatio));
  console.log(
    `${verdictOn(stalest <= CONSTRAINTS.maxStaleRatio)} stale reads of what is generated, worst: ${(stalest * 100).toFixed(2)} % (at most ${CONSTRAINTS.maxStaleRatio * 100} %)`,
  );
  console.log(
    `${verdictOn(worst <= MAX_BEHIND)} generated against the best of ${policies.names.length * SIZES.length * LIVES.length} configurations, worst: ${worst.toFixed(3)} (at most ${MAX_BEHIND}); geometric mean ${mean.toFixed(3)}`,
  );
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: TRACES.join(',') },
    reads: { type: 'string', default: '60000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else {
  const names = values.only.split(',');
  const progress = await startProgress(names.length * policies.names.length);
  const rows: Row[] = [];
  try {
    for (const name of names) {
      const reads = wholeNumber('reads', values.reads);
      rows.push(await run(name, reads, (policy) => progress.advance(`${name}, ${policy}`)));
    }
  } finally {
    progress.stop();
  }
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, constraints: CONSTRAINTS, rows }, null, 1));
  } else print(rows);
}
