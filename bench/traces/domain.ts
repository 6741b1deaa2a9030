import { TraceRandom, Zipf } from './random.js';
import { TraceBuilder, type Trace } from './trace.js';

const USERS = 2_000;
const ORGANIZATIONS = 40;
const SESSIONS = 14_000;
const CONCURRENT = 60;

/**
 * Cache keys of the product's own traffic, from a model, not a recording:
 *
 * - 2,000 users of 40 organizations; how often one comes is Zipf 0.8. 60 sessions run at a time, a
 *   session has 25 requests on average.
 * - a user has 2 to 9 personal sources and takes part in the organization's 30, Zipf 1;
 * - 55 % of the requests compile one of the user's usual sets of sources, 10 % page through the
 *   entries of a source, 10 % recall by a text (every second one is new), 15 % generate from one of
 *   the organization's prompts, 10 % look up the principal;
 * - writing an entry (one request in ten) makes the compiled contexts of that source new keys, as an
 *   invalidation does;
 * - twice a night a job reads the first page of every source, once.
 */
export function domainTrace(): Trace {
  const random = new TraceRandom(51);
  const builder = new TraceBuilder<string>();
  const versions = new Map<string, number>();
  const nextUser = new Zipf(random, USERS, 0.8);
  const organizationSource = new Zipf(random, 30, 1);
  const prompt = new Zipf(random, 50, 1);
  const habit = new Zipf(random, 6, 1);
  const sourceOf = (user: number, choice: number): string =>
    choice < 2 + (user % 8)
      ? `u${user}-s${choice}`
      : `o${user % ORGANIZATIONS}-s${organizationSource.draw()}`;
  const versionOf = (source: string): number => versions.get(source) ?? 0;

  const request = (user: number): void => {
    const organization = user % ORGANIZATIONS;
    const source = sourceOf(user, habit.draw());
    const kind = random.next();
    if (kind < 0.55) builder.add(`compile:${user}:${source}@${versionOf(source)}`);
    else if (kind < 0.65)
      builder.add(`entries:${source}@${versionOf(source)}:${random.geometric(1)}`);
    else if (kind < 0.75) {
      builder.add(`recall:${user}:${random.chance(0.5) ? random.next() : habit.draw()}`);
    } else if (kind < 0.9) builder.add(`prompt:${organization}:${prompt.draw()}`);
    else builder.add(`principal:${user}`);
    if (random.chance(0.1)) versions.set(source, versionOf(source) + 1);
  };

  const readEverySource = (): void => {
    for (let user = 0; user < USERS; user += 1) {
      for (let own = 0; own < 2 + (user % 8); own += 1) {
        const source = `u${user}-s${own}`;
        builder.add(`entries:${source}@${versionOf(source)}:0`);
      }
    }
  };

  const open: { user: number; left: number }[] = [];
  let started = 0;
  while (started < SESSIONS || open.length > 0) {
    while (open.length < CONCURRENT && started < SESSIONS) {
      started += 1;
      open.push({ user: nextUser.draw(), left: 1 + random.geometric(24) });
      if (started % (SESSIONS / 2) === SESSIONS / 4) readEverySource();
    }
    const place = random.below(open.length);
    const session = open[place] as { user: number; left: number };
    request(session.user);
    session.left -= 1;
    if (session.left === 0) open.splice(place, 1);
  }
  return builder.build('domain');
}
