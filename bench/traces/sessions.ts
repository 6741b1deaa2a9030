import { TraceRandom, Zipf } from './random.js';

/** One read of a client. */
export interface SessionRead {
  readonly atMs: number;
  /** Undefined where nobody in particular reads. */
  readonly client: string | undefined;
  readonly namespace: string;
  readonly key: string;
}

/** Reads of clients in the order of their times. */
export interface SessionTrace {
  readonly name: string;
  readonly reads: readonly SessionRead[];
}

const THINK_MS = 8_000;
const READS = 60_000;

/**
 * Sessions of users with habits of their own, from a model: 1,500 users, visits Zipf 0.8, 60 at a
 * time, 12 reads a visit with 8 s between them. Each user has 4 to 11 keys, starts at the first and
 * goes on to the usual next one in 60 % of the reads, else anywhere.
 */
export function routineTrace(): SessionTrace {
  const random = new TraceRandom(71);
  return sessions('routine', random, (user) => {
    const keys = 4 + (user % 8);
    let at = 0;
    return {
      read: () => {
        const key = `u${user}:${at}`;
        at = random.chance(0.6) ? (at * 5 + 1 + user) % keys : random.below(keys);
        return key;
      },
    };
  });
}

/**
 * The same visits, on pages that all share: 3,000 pages with 6 links each, of which the first is
 * taken by two thirds of the readers; one read in six goes to a page from elsewhere, Zipf 0.9.
 */
export function linksTrace(): SessionTrace {
  const random = new TraceRandom(72);
  const entrance = new Zipf(random, 3_000, 0.9);
  const link = new Zipf(random, 6, 2);
  return sessions('links', random, () => {
    let page = entrance.draw();
    return {
      read: () => {
        const key = `page:${page}`;
        page = random.chance(1 / 6) ? entrance.draw() : (page * 7 + 13 * link.draw() + 1) % 3_000;
        return key;
      },
    };
  });
}

/** The same visits with nothing to learn: every read is drawn anew, Zipf 0.9 of 3,000 keys. */
export function unrelatedTrace(): SessionTrace {
  const random = new TraceRandom(73);
  const key = new Zipf(random, 3_000, 0.9);
  return sessions('unrelated', random, () => ({ read: () => `key:${key.draw()}` }));
}

interface Visit {
  read(): string;
}

function sessions(name: string, random: TraceRandom, visit: (user: number) => Visit): SessionTrace {
  const nextUser = new Zipf(random, 1_500, 0.8);
  const open = Array.from({ length: 60 }, () => start(random.next() * THINK_MS));
  const reads: SessionRead[] = [];
  while (reads.length < READS) {
    let first = 0;
    for (const [index, { atMs }] of open.entries()) {
      if (atMs < (open[first] as { atMs: number }).atMs) first = index;
    }
    const session = open[first] as ReturnType<typeof start>;
    reads.push({
      atMs: session.atMs,
      client: session.client,
      namespace: '',
      key: session.visit.read(),
    });
    session.left -= 1;
    const thinkMs = -Math.log(1 - random.next()) * THINK_MS;
    if (session.left > 0) session.atMs += thinkMs;
    else open[first] = start(session.atMs + thinkMs);
  }
  return { name, reads };

  function start(atMs: number) {
    const user = nextUser.draw();
    return { atMs, client: `user ${user}`, visit: visit(user), left: 1 + random.geometric(11) };
  }
}
