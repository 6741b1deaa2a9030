/** A generator that draws the same numbers, 0 to below 1, for the same seed (mulberry32, T. Ettinger). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** `count` of the values, in an order that the seed decides. */
export function drawn<Value>(values: readonly Value[], count: number, seed: number): Value[] {
  const random = seededRandom(seed);
  const pool = [...values];
  for (let place = 0; place < Math.min(count, pool.length - 1); place += 1) {
    const other = place + Math.floor(random() * (pool.length - place));
    [pool[place], pool[other]] = [pool[other] as Value, pool[place] as Value];
  }
  return pool.slice(0, count);
}
