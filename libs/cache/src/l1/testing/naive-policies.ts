/** A cache of so many keys, as plain as can be: whether the key was there. */
export type NaiveCache = (key: number) => boolean;

/** An entry of a naive queue. */
interface Counted {
  readonly key: number;
  uses: number;
}

export function naiveFifo(capacity: number): NaiveCache {
  const queue: number[] = [];
  return (key) => {
    if (queue.includes(key)) return true;
    if (queue.length === capacity) queue.shift();
    queue.push(key);
    return false;
  };
}

export function naiveLru(capacity: number): NaiveCache {
  const queue: number[] = [];
  return (key) => {
    const at = queue.indexOf(key);
    if (at >= 0) queue.splice(at, 1);
    else if (queue.length === capacity) queue.shift();
    queue.push(key);
    return at >= 0;
  };
}

/** Among the least used the one used longest ago goes. */
export function naiveLfu(capacity: number): NaiveCache {
  const entries: (Counted & { lastUse: number })[] = [];
  let now = 0;
  return (key) => {
    now += 1;
    const known = entries.find((entry) => entry.key === key);
    if (known !== undefined) {
      known.uses += 1;
      known.lastUse = now;
      return true;
    }
    if (entries.length === capacity) {
      entries.sort((a, b) => a.uses - b.uses || a.lastUse - b.lastUse);
      entries.shift();
    }
    entries.push({ key, uses: 1, lastUse: now });
    return false;
  };
}

/** After the paper's figure: the hand walks from the oldest to the newest and round. */
export function naiveSieve(capacity: number): NaiveCache {
  const queue: Counted[] = [];
  let hand = 0;
  return (key) => {
    const known = queue.find((entry) => entry.key === key);
    if (known !== undefined) {
      known.uses = 1;
      return true;
    }
    if (queue.length === capacity) {
      while ((queue[hand] as Counted).uses === 1) {
        (queue[hand] as Counted).uses = 0;
        hand = (hand + 1) % queue.length;
      }
      queue.splice(hand, 1);
      // The newest was taken: the walk begins anew at the oldest.
      if (hand === queue.length) hand = 0;
    }
    queue.push({ key, uses: 0 });
    return false;
  };
}

/** After the paper's algorithm 1; the small queue's share and the hits that promote are parameters. */
export function naiveS3Fifo(
  capacity: number,
  smallShare: number,
  promotingUses: number,
): NaiveCache {
  const small: Counted[] = [];
  const main: Counted[] = [];
  /** Every key that left the small queue, newest last; those that came back are struck out. */
  const ghost: (number | undefined)[] = [];
  const evictMain = (): void => {
    for (;;) {
      const entry = main.shift() as Counted;
      if (entry.uses === 0) return;
      entry.uses -= 1;
      main.push(entry);
    }
  };
  const evictSmall = (): boolean => {
    for (let entry = small.shift(); entry !== undefined; entry = small.shift()) {
      if (entry.uses < promotingUses) {
        ghost.push(entry.key);
        return true;
      }
      main.push({ key: entry.key, uses: 0 });
    }
    return false;
  };
  return (key) => {
    const known = small.find((e) => e.key === key) ?? main.find((e) => e.key === key);
    if (known !== undefined) {
      known.uses = Math.min(3, known.uses + 1);
      return true;
    }
    if (small.length + main.length === capacity) {
      const isSmallFull = small.length >= smallShare * capacity || main.length === 0;
      if (!isSmallFull || !evictSmall()) evictMain();
    }
    const reach = Math.max(1, Math.round((small.length + main.length) * (1 - smallShare)));
    const at = ghost.lastIndexOf(key);
    const isRemembered = at >= 0 && ghost.length - at <= reach;
    if (at >= 0) ghost[at] = undefined;
    (isRemembered ? main : small).push({ key, uses: 0 });
    return false;
  };
}
