/**
 * `npm run bench:record`: sends scripted clients through the whole API and writes down what its
 * caches are asked, as a trace for `bench:hitratio` and `bench:prefetch`.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs, promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readMarkdownCorpus } from './corpus/markdown-corpus.js';
import { type BenchApi, openBenchApi } from './support/bench-api.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';
import { TraceRandom, Zipf } from './traces/random.js';

const HELP = `Records what the caches of the API are asked by scripted clients.

  npm run bench:record -- --out reads.trace.gz    20,000 requests of 120 users
  npm run bench:record -- --requests 2000         fewer
  npm run bench:record -- --users 30              fewer

The requests are real and go through the whole API over a database of its own; the clients are
scripted (bench/record-traffic.ts), and time runs ahead between their requests. Lines of the trace:
milliseconds since the last read, user, namespace, key; each a number in order of appearance.`;

const ADMINISTRATOR = { email: 'bench@pantheon.example', password: 'correct horse battery staple' };
const THINK_MS = 8_000;
const CONCURRENT = 30;
const TOKEN_MS = 600_000;

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    requests: { type: 'string', default: '20000' },
    users: { type: 'string', default: '120' },
    help: { type: 'boolean', default: false },
  },
});

/** A user with sources, habits, and a token. */
interface User {
  readonly email: string;
  readonly sources: readonly string[];
  /** Sets of sources that are compiled together, the usual one first. */
  readonly sets: readonly (readonly string[])[];
  readonly questions: readonly string[];
  token: string;
  tokenMs: number;
}

interface Session {
  readonly user: User;
  readonly steps: (() => Promise<void>)[];
  atMs: number;
}

class Recorder {
  private readonly random = new TraceRandom(81);
  private readonly users: User[] = [];
  private readonly failures = new Map<string, number>();

  constructor(
    private readonly api: BenchApi,
    private readonly corpus: readonly { readonly heading: string; readonly text: string }[],
  ) {}

  async addUsers(count: number): Promise<void> {
    const bar = await startProgressBar('users', count);
    for (let number = 0; number < count; number += 1) {
      const email = `user-${number}@pantheon.example`;
      const credentials = { email, password: `password of ${email}` };
      await this.api.send('POST', '/v1/auth/register', undefined, credentials);
      const sources = Array.from({ length: 2 + (number % 5) }, (_, index) => `s${number}-${index}`);
      const questions = Array.from({ length: 8 }, () => this.section().heading);
      const sets = sources.map((source, index) =>
        index % 2 === 0 ? [source] : [source, sources[0] as string],
      );
      const user = { email, sources, sets, questions, token: '', tokenMs: 0 };
      await this.signIn(user);
      for (const name of sources) {
        await this.send(user, 'POST', '/v1/sources', { name, kind: 'document' });
        const lines = Array.from({ length: 30 }, () =>
          JSON.stringify({ text: this.section().text.slice(0, 2_000) }),
        );
        await this.send(user, 'POST', `/v1/sources/${name}/entries/bulk`, lines.join('\n'));
      }
      this.users.push(user);
      bar.update(number + 1);
    }
    bar.stop();
  }

  /** How many requests have failed, by what they were. */
  async play(requests: number): Promise<ReadonlyMap<string, number>> {
    const nextUser = new Zipf(this.random, this.users.length, 0.8);
    const startMs = this.api.clock.nowMs();
    const start = (atMs: number): Session => this.visit(this.users[nextUser.draw()] as User, atMs);
    const open = Array.from({ length: CONCURRENT }, () =>
      start(startMs + this.random.next() * THINK_MS),
    );
    const bar = await startProgressBar('requests', requests);
    for (let sent = 0; sent < requests; sent += 1) {
      open.sort((a, b) => a.atMs - b.atMs);
      const session = open[0] as Session;
      this.api.clock.moveTo(session.atMs);
      await session.steps.shift()?.();
      const thinkMs = -Math.log(1 - this.random.next()) * THINK_MS;
      if (session.steps.length > 0) session.atMs += thinkMs;
      else open[0] = start(session.atMs + thinkMs);
      bar.update(sent + 1);
    }
    bar.stop();
    return this.failures;
  }

  /** What a person does with an assistant: looks around, asks, reads on, writes now and then. */
  private visit(user: User, atMs: number): Session {
    const { random } = this;
    const set = new Zipf(random, user.sets.length, 1.2).draw();
    const sources = (user.sets[set] as readonly string[]).map((id) => ({ id, label: id }));
    const first = sources[0] as { readonly id: string };
    const question = new Zipf(random, user.questions.length, 1.2);
    const compile = (texts: readonly string[]) => () =>
      this.send(user, 'POST', '/v1/contexts/compile', { sources, texts });
    const steps: (() => Promise<void>)[] = [
      () => this.send(user, 'GET', '/v1/auth/me'),
      () => this.send(user, 'GET', '/v1/sources'),
      compile([]),
    ];
    for (let turn = random.geometric(4); turn >= 0; turn -= 1) {
      const text = user.questions[question.draw()] as string;
      if (random.chance(0.3)) steps.push(() => this.send(user, 'GET', `/v1/sources/${first.id}`));
      steps.push(compile([random.chance(0.2) ? this.section().heading : text]));
      if (random.chance(0.3)) {
        steps.push(() => this.send(user, 'GET', `/v1/sources/${first.id}/entries?limit=20`));
      }
      if (random.chance(0.15)) {
        const body = { text: this.section().text.slice(0, 500), role: 'user' };
        steps.push(() => this.send(user, 'POST', `/v1/sources/${first.id}/entries`, body));
      }
    }
    return { user, steps, atMs };
  }

  private async send(user: User, method: 'GET' | 'POST', path: string, body?: unknown) {
    if (this.api.clock.nowMs() - user.tokenMs > TOKEN_MS) await this.signIn(user);
    const { status } = await this.api.send(method, path, user.token, body);
    if (status < 400) return;
    const kind = `${method} ${path.split('/').slice(0, 3).join('/')} ${status}`;
    this.failures.set(kind, (this.failures.get(kind) ?? 0) + 1);
  }

  private async signIn(user: User): Promise<void> {
    const password = `password of ${user.email}`;
    const { text } = await this.api.send('POST', '/v1/auth/login', undefined, {
      email: user.email,
      password,
    });
    user.token = (JSON.parse(text) as { accessToken: string }).accessToken;
    user.tokenMs = this.api.clock.nowMs();
  }

  private section(): { readonly heading: string; readonly text: string } {
    return this.corpus[this.random.below(this.corpus.length)] as { heading: string; text: string };
  }
}

interface Read {
  readonly atMs: number;
  readonly client?: string;
  readonly namespace: string;
  readonly key: string;
}

/** All that was recorded, in the order of time, with numbers for names. */
async function traceOf(api: BenchApi, sinceMs: number): Promise<string> {
  const { text } = await api.send('POST', '/v1/auth/login', undefined, ADMINISTRATOR);
  const { accessToken } = JSON.parse(text) as { accessToken: string };
  const { text: list } = await api.send('GET', '/v1/perf/cache/namespaces', accessToken);
  const reads: Read[] = [];
  for (const { name } of (JSON.parse(list) as { items: { name: string }[] }).items) {
    const path = `/v1/perf/cache/trace?namespace=${encodeURIComponent(name)}`;
    const { text: lines } = await api.send('GET', path, accessToken);
    for (const line of lines.split('\n')) {
      if (line === '') continue;
      const read = { ...(JSON.parse(line) as Read), namespace: name };
      if (read.atMs >= sinceMs) reads.push(read);
    }
  }
  reads.sort((a, b) => a.atMs - b.atMs);
  const numbers = { client: new Map<string, number>(), key: new Map<string, number>() };
  const namespaces = [...new Set(reads.map(({ namespace }) => namespace))];
  const numberOf = (map: Map<string, number>, name: string): number => {
    const known = map.get(name) ?? map.size + 1;
    map.set(name, known);
    return known;
  };
  let lastMs = reads[0]?.atMs ?? 0;
  const lines = reads.map(({ atMs, client, namespace, key }) => {
    const line = [
      atMs - lastMs,
      client === undefined ? 0 : numberOf(numbers.client, client),
      namespaces.indexOf(namespace),
      numberOf(numbers.key, `${namespace}:${key}`),
    ].join(' ');
    lastMs = atMs;
    return line;
  });
  process.stderr.write(
    `${reads.length} reads, ${numbers.key.size} keys, ${numbers.client.size} users, of ${namespaces.join(', ')}\n`,
  );
  return `${lines.join('\n')}\n`;
}

if (options.help || options.out === undefined) {
  process.stdout.write(`${HELP}\n`);
  process.exit(options.help ? 0 : 2);
}
const api = await openBenchApi({
  PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
  PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
  PANTHEON_CACHE_LEARNING_RECORDED_READS: '1048576',
  PANTHEON_CACHE_LEARNING_MAX_READS_PER_SECOND: '1000000',
});
try {
  const recorder = new Recorder(api, await readMarkdownCorpus());
  await recorder.addUsers(wholeNumber('users', options.users));
  const startMs = api.clock.nowMs();
  const failures = await recorder.play(wholeNumber('requests', options.requests));
  for (const [kind, count] of failures) process.stderr.write(`${kind}: ${count} times\n`);
  const trace = await traceOf(api, startMs);
  const bytes = await promisify(gzip)(trace, { level: 9 });
  await writeFile(options.out, bytes);
  process.stderr.write(`${options.out}: ${bytes.length} bytes\n`);
} finally {
  await api.close();
}
