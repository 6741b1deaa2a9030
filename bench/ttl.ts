/**
 * `npm run bench:ttl`: loads and stale reads with lives that are learnt for each key, beside one life
 * for all keys. The fixed life is the best there is: the longest that keeps the bound, found by
 * trying, which no operator can do in advance. Simulated time; the same figures on every machine.
 */
import { TtlLearner } from '#libs/cache';
import { ManualClock } from '#libs/core';
import { printTable } from './support/print-table.js';
import { TraceRandom, Zipf } from './traces/random.js';

const HELP = `Loads and stale reads with learnt lives and with the best fixed life, in simulated time.

  npm run bench:ttl                print a table
  npm run bench:ttl -- --json      one JSON document

2,000 keys, read Zipf 0.9 at 50 reads a second for 8 hours. Workloads:
  independent  keys change every 30 s to every 28 h, whatever their popularity
  alike        every key changes every 10 minutes
  hot changes  the most popular key changes every 30 s, the least every 11 h
  hot stays    the other way round
  shift        independent, and all rates change places after half the time`;

const KEYS = 2_000;
const READS_PER_SECOND = 50;
const DURATION_MS = 8 * 3_600_000;
const MAX_TTL_MS = 4 * 3_600_000;
const BOUNDS = [0.01, 0.05];
const SEARCH_STEPS = 14;

/** Time between two changes of a key, at a time. */
type ChangePeriod = (key: number, nowMs: number) => number;

const spread = spreadPeriods();
const workloads: Readonly<Record<string, ChangePeriod>> = {
  independent: (key) => spread[key] as number,
  alike: () => 600_000,
  'hot changes': (key) => 30_000 + key * 20_000,
  'hot stays': (key) => 30_000 + (KEYS - key) * 20_000,
  shift: (key, nowMs) => spread[nowMs < DURATION_MS / 2 ? key : KEYS - 1 - key] as number,
};

interface Outcome {
  readonly loads: number;
  readonly staleRatio: number;
}

function spreadPeriods(): Float64Array {
  const random = new TraceRandom(61);
  return Float64Array.from({ length: KEYS }, () => 1_000 * 10 ** (1.5 + 3.5 * random.next()));
}

/** Reads the keys through a cache whose lives `ttlOf` gives. */
function simulate(
  changePeriod: ChangePeriod,
  ttlOf: (key: number, version: number, nowMs: number) => number,
): Outcome {
  const reading = new TraceRandom(62);
  const changing = new TraceRandom(63);
  const popularity = new Zipf(reading, KEYS, 0.9);
  const after = (random: TraceRandom, periodMs: number): number =>
    -Math.log(1 - random.next()) * periodMs;
  const versions = new Uint32Array(KEYS);
  const changes = Float64Array.from({ length: KEYS }, (_, key) =>
    after(changing, changePeriod(key, 0)),
  );
  const cached = new Uint32Array(KEYS);
  const expiries = new Float64Array(KEYS).fill(-1);
  let loads = 0;
  let reads = 0;
  let staleReads = 0;
  let nowMs = 0;
  for (;;) {
    nowMs += after(reading, 1_000 / READS_PER_SECOND);
    if (nowMs > DURATION_MS) return { loads, staleRatio: staleReads / reads };
    const key = popularity.draw();
    while ((changes[key] as number) <= nowMs) {
      versions[key] = (versions[key] as number) + 1;
      changes[key] =
        (changes[key] as number) + after(changing, changePeriod(key, changes[key] as number));
    }
    reads += 1;
    if ((expiries[key] as number) > nowMs) {
      if (cached[key] !== versions[key]) staleReads += 1;
      continue;
    }
    loads += 1;
    cached[key] = versions[key] as number;
    expiries[key] = nowMs + ttlOf(key, versions[key] as number, nowMs);
  }
}

function learnt(changePeriod: ChangePeriod, maxStaleRatio: number): Outcome {
  const clock = new ManualClock(0);
  const learner = new TtlLearner({ maxStaleRatio, minTtlMs: 100, maxTtlMs: MAX_TTL_MS, clock });
  return simulate(changePeriod, (key, version, nowMs) => {
    clock.advance(nowMs - clock.nowMs());
    return learner.loaded(`key:${key}`, version).ttlMs;
  });
}

/** The longest life for all keys that keeps the bound. */
function bestFixed(changePeriod: ChangePeriod, maxStaleRatio: number): Outcome & { ttlMs: number } {
  let shortMs = 100;
  let longMs = MAX_TTL_MS;
  for (let step = 0; step < SEARCH_STEPS; step += 1) {
    const middleMs = Math.sqrt(shortMs * longMs);
    if (simulate(changePeriod, () => middleMs).staleRatio > maxStaleRatio) longMs = middleMs;
    else shortMs = middleMs;
  }
  return { ...simulate(changePeriod, () => shortMs), ttlMs: shortMs };
}

if (process.argv.includes('--help')) {
  console.log(HELP);
} else {
  const rows = Object.entries(workloads).flatMap(([workload, changePeriod]) =>
    BOUNDS.map((bound) => {
      const fixed = bestFixed(changePeriod, bound);
      const own = learnt(changePeriod, bound);
      return {
        workload,
        'stale % allowed': 100 * bound,
        'fixed life s': fixed.ttlMs / 1_000,
        'stale % fixed': 100 * fixed.staleRatio,
        'stale % learnt': 100 * own.staleRatio,
        'loads fixed': fixed.loads,
        'loads learnt': own.loads,
        'loads learnt %': (100 * own.loads) / fixed.loads,
      };
    }),
  );
  const node = process.version;
  if (process.argv.includes('--json')) console.log(JSON.stringify({ node, rows }));
  else {
    console.log(`Node ${node}`);
    printTable(rows);
  }
}
