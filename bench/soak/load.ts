import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Request } from '../load/connection.js';
import { ADMINISTRATOR } from '../load/load-api.js';
import { type BenchUser, DOMAIN_MIX, expectStatus, logIn } from '../load/users.js';

/** What happens beside the use of the domain, by how often of 1,000 times. */
const DISTURBANCES: readonly {
  readonly name: string;
  readonly share: number;
  readonly act: (soak: SoakLoad, user: BenchUser) => Promise<void>;
}[] = [
  { name: 'log out and in', share: 20, act: (soak, user) => soak.changeSession(user) },
  { name: 'hang up', share: 30, act: (soak, user) => soak.hangUp(user) },
  { name: 'reconnect', share: 30, act: (_, { connection }) => Promise.resolve(connection.close()) },
  { name: 'use an API key', share: 5, act: (soak, user) => soak.useApiKey(user) },
  { name: 'churn the cache', share: 20, act: (soak, user) => soak.churnCache(user) },
  { name: 'run a job', share: 10, act: (soak) => soak.runJob() },
  { name: 'make an error', share: 20, act: (soak, user) => soak.fail(user) },
];

const HANG_UP_AFTER_MS = 3;
/** An access token lives for a quarter of an hour. */
const ADMIN_SESSION_MS = 600_000;

/** People who use the domain, and among them those who come and go, hang up and make mistakes. */
export class SoakLoad {
  readonly errors: string[] = [];
  /** Refusals for want of room: right on a machine that has too much else to do. */
  refused = 0;
  readonly counts = new Map<string, number>();
  private paused = false;
  private ended = false;
  private busy = 0;

  private constructor(
    private readonly users: readonly BenchUser[],
    private readonly admin: Connection,
    private adminToken: string,
  ) {}

  static async create(users: readonly BenchUser[], admin: Connection): Promise<SoakLoad> {
    return new SoakLoad(users, admin, await logIn(admin, ADMINISTRATOR));
  }

  /** Has the process load PostgreSQL's parser, which else comes with the first slow query. */
  loadParser(): Promise<void> {
    return this.askAdmin({ method: 'POST', path: '/v1/perf/queries/optimize', body: { limit: 1 } });
  }

  /** Has every user act about every `gapMs` until `end` is called. */
  start(gapMs: number): void {
    for (const user of this.users) void this.live(user, gapMs);
  }

  /** Lets what is under way end, and begins nothing until `resume`. */
  async pause(): Promise<void> {
    this.paused = true;
    while (this.busy > 0) await sleep(10);
  }

  resume(): void {
    this.paused = false;
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.pause();
  }

  private async live(user: BenchUser, gapMs: number): Promise<void> {
    while (!this.ended) {
      await sleep(-Math.log(1 - Math.random()) * gapMs);
      if (this.paused) continue;
      this.busy += 1;
      try {
        await this.act(user);
      } catch (error) {
        if (String(error).includes('"ADMISSION_OVERLOADED"')) this.refused += 1;
        else this.errors.push(String(error));
      }
      this.busy -= 1;
    }
  }

  private async act(user: BenchUser): Promise<void> {
    let chance = Math.random() * 1000;
    for (const { name, share, act } of DISTURBANCES) {
      chance -= share;
      if (chance < 0) {
        this.count(name);
        return act(this, user);
      }
    }
    const [name, request] = draw();
    this.count(name);
    const { status, body } = await user.connection.send({ ...request, token: user.token });
    if (status >= 400) throw new Error(`${name}: ${status} ${body}`);
  }

  private count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  async changeSession(user: BenchUser): Promise<void> {
    const { connection, token } = user;
    await expectStatus(connection, 204, { method: 'POST', path: '/v1/auth/logout', token });
    user.token = await logIn(connection, user);
  }

  hangUp({ connection, token }: BenchUser): Promise<void> {
    return connection.sendAndHangUp({ ...draw()[1], token }, HANG_UP_AFTER_MS);
  }

  async useApiKey({ connection, token }: BenchUser): Promise<void> {
    const path = '/v1/auth/api-keys';
    const text = await expectStatus(connection, 201, {
      method: 'POST',
      path,
      token,
      body: { name: `soak ${Math.random()}`, scope: [{ resource: 'source:*', action: 'read' }] },
    });
    const made = JSON.parse(text) as { readonly id: string; readonly key: string };
    const me: Request = { method: 'GET', path: '/v1/auth/me', token: made.key };
    await expectStatus(connection, 200, me);
    await expectStatus(connection, 204, { method: 'DELETE', path: `${path}/${made.id}`, token });
    await expectStatus(connection, 401, me);
  }

  /** A source that everybody's caches hear of twice. */
  async churnCache({ connection, token }: BenchUser): Promise<void> {
    const name = `short-lived-${Math.random().toString(36).slice(2)}`;
    const body = { name, kind: 'document' };
    await expectStatus(connection, 201, { method: 'POST', path: '/v1/sources', token, body });
    await expectStatus(connection, 200, { method: 'GET', path: `/v1/sources/${name}`, token });
    const entry = { text: 'Nothing lasts' };
    const entries = `/v1/sources/${name}/entries`;
    await expectStatus(connection, 201, { method: 'POST', path: entries, token, body: entry });
    await expectStatus(connection, 204, { method: 'DELETE', path: `/v1/sources/${name}`, token });
  }

  runJob(): Promise<void> {
    return this.askAdmin({ method: 'POST', path: '/v1/perf/cache/warm', body: { topN: 10 } });
  }

  private lastOfAdmin: Promise<unknown> = Promise.resolve();
  private loggedInMs = performance.now();

  /** On a connection of the administrator's own, which takes one request at a time. */
  private async askAdmin(request: Request): Promise<void> {
    const before = this.lastOfAdmin;
    const sent = this.sendAsAdmin(request, before);
    this.lastOfAdmin = sent.catch(() => undefined);
    await sent;
  }

  private async sendAsAdmin(request: Request, before: Promise<unknown>): Promise<void> {
    await before;
    if (performance.now() - this.loggedInMs > ADMIN_SESSION_MS) {
      this.adminToken = await logIn(this.admin, ADMINISTRATOR);
      this.loggedInMs = performance.now();
    }
    const answer = await this.admin.send({ ...request, token: this.adminToken });
    if (answer.status >= 400) throw new Error(`${request.path}: ${answer.status} ${answer.body}`);
  }

  async fail({ connection, token }: BenchUser): Promise<void> {
    await expectStatus(connection, 404, { method: 'GET', path: '/v1/sources/none', token });
    await expectStatus(connection, 400, {
      method: 'POST',
      path: '/v1/contexts/compile',
      token,
      body: { nonsense: true },
    });
    await expectStatus(connection, 401, {
      method: 'GET',
      path: '/v1/sources',
      token: 'not.a.token',
    });
  }
}

function draw(): [name: string, request: Request] {
  let chance = Math.random() * 100;
  for (const { name, share, request } of DOMAIN_MIX) {
    chance -= share;
    if (chance < 0) return [name, request(Math.floor(Math.random() * 1000))];
  }
  throw new Error('the shares do not sum up to 100');
}
