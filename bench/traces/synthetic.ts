import { TraceRandom, Zipf } from './random.js';
import { TraceBuilder, type Trace } from './trace.js';

const KEYS = 50_000;
const REQUESTS = 500_000;

/** Independent draws from a Zipf distribution over 50,000 keys. */
export function zipfTrace(exponent: number): Trace {
  const zipf = new Zipf(new TraceRandom(Math.round(exponent * 10)), KEYS, exponent);
  const builder = new TraceBuilder<number>();
  for (let request = 0; request < REQUESTS; request += 1) builder.add(zipf.draw());
  return builder.build(`zipf ${exponent}`);
}

/**
 * Zipf 0.9 that is interrupted ten times by a scan of 15,000 keys which nobody asks for again:
 * an export or a crawler in front of ordinary traffic.
 */
export function scanTrace(): Trace {
  const zipf = new Zipf(new TraceRandom(21), KEYS, 0.9);
  const builder = new TraceBuilder<number>();
  let scanned = KEYS;
  for (let round = 0; round < 10; round += 1) {
    for (let request = 0; request < 35_000; request += 1) builder.add(zipf.draw());
    for (let request = 0; request < 15_000; request += 1) builder.add(scanned++);
  }
  return builder.build('scan');
}

/** 10,000 keys in a circle, fifty times: a batch job that reads all of a table again and again. */
export function loopTrace(): Trace {
  const builder = new TraceBuilder<number>();
  for (let request = 0; request < REQUESTS; request += 1) builder.add(request % 10_000);
  return builder.build('loop');
}

/** Zipf 0.9 whose popular keys become other ones, all of them, every 100,000 requests. */
export function shiftTrace(): Trace {
  const zipf = new Zipf(new TraceRandom(31), KEYS, 0.9);
  const builder = new TraceBuilder<number>();
  for (let phase = 0; phase < 5; phase += 1) {
    builder.startPhase(`set ${phase + 1}`);
    // A prime step renumbers the keys: each phase has another order of popularity.
    const step = [1, 15_485_863, 32_452_843, 49_979_687, 67_867_967][phase] as number;
    for (let request = 0; request < REQUESTS / 5; request += 1) {
      builder.add((zipf.draw() * step + phase) % KEYS);
    }
  }
  return builder.build('shift');
}

/**
 * Four kinds of workload one after the other, 300,000 requests each, over the same 50,000 keys:
 * lasting popularity, a circle, a working set that drifts, and popularity under scans.
 */
export function phasesTrace(): Trace {
  const random = new TraceRandom(41);
  const builder = new TraceBuilder<number>();
  const zipf = new Zipf(random, KEYS, 0.9);
  const length = 300_000;
  builder.startPhase('popular');
  for (let request = 0; request < length; request += 1) builder.add(zipf.draw());
  builder.startPhase('circle');
  for (let request = 0; request < length; request += 1) builder.add(request % 20_000);
  builder.startPhase('drift');
  const recency = new Zipf(random, 5_000, 0.8);
  for (let request = 0; request < length; request += 1) {
    // The newest of the working set are asked for most; a key in ten requests joins it.
    builder.add((Math.floor(request / 10) + KEYS - recency.draw()) % KEYS);
  }
  builder.startPhase('scans');
  let scanned = KEYS;
  for (let request = 0; request < length; request += 1) {
    builder.add(request % 20_000 < 6_000 ? scanned++ : zipf.draw());
  }
  return builder.build('phases');
}
