/** The median of each variant, all of which take turns in every round. */
export async function inTurns<Name extends string>(
  variants: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
  onTurn: () => void = () => undefined,
): Promise<Record<Name, number>> {
  const names = Object.keys(variants) as Name[];
  const taken = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Another one begins each time, so that none always comes after the same.
    for (let at = 0; at < names.length; at += 1) {
      const name = names[(at + round) % names.length] as Name;
      taken.get(name)?.push(await variants[name]());
      onTurn();
    }
  }
  return Object.fromEntries([...taken].map(([name, values]) => [name, medianOf(values)])) as Record<
    Name,
    number
  >;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** How long something takes, in ms of the clock. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

export function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}
