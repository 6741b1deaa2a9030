const ROUNDS = 9;
const ROUND_NS = 25_000_000;
const WARM_UP_CALLS = 20_000;

/**
 * CPU time of this process for one call, in ns: the least of several rounds, because a machine that does
 * other things only ever adds to it. `call` gets a number that goes up by one.
 */
export function nsPerCall(call: (number: number) => unknown): number {
  run(call, WARM_UP_CALLS);
  let calls = 1_000;
  while (run(call, calls) < ROUND_NS) calls *= 2;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    least = Math.min(least, run(call, calls) / calls);
  }
  return least;
}

/** What a call costs that has to be waited for, in µs; the least of several rounds each. */
export interface AsyncCost {
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** The same for a call that has to be waited for, in rounds of so many calls one after the other. */
export async function costPerAsyncCall(
  call: (number: number) => Promise<unknown>,
  calls: number,
): Promise<AsyncCost> {
  let cpuUs = Number.POSITIVE_INFINITY;
  let wallUs = Number.POSITIVE_INFINITY;
  // The first round only warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    for (let number = 0; number < calls; number += 1) await call(number);
    const { user, system } = process.cpuUsage(cpu);
    if (round === 0) continue;
    wallUs = Math.min(wallUs, ((performance.now() - startedAt) * 1000) / calls);
    cpuUs = Math.min(cpuUs, (user + system) / calls);
  }
  return { cpuUs, wallUs };
}

let sink: unknown;

function run(call: (number: number) => unknown, calls: number): number {
  const cpu = process.cpuUsage();
  // What is thrown away might not be computed.
  for (let number = 0; number < calls; number += 1) sink = call(number);
  const { user, system } = process.cpuUsage(cpu);
  return sink === run ? 0 : (user + system) * 1000;
}
