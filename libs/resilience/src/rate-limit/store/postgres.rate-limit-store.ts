import { Client } from 'pg';
import type { Grant, Take } from '../gcra/held-bucket.js';
import { bucketName, RateLimitStore } from './rate-limit-store.js';

export interface PostgresRateLimitStoreOptions {
  readonly url: string;
  /** False behind a pooler that does not know prepared statements. Default: true. */
  readonly prepare?: boolean;
  /** Told of failures of the connection. */
  readonly onError: (error: unknown) => void;
}

interface GrantRow {
  readonly granted: string;
  readonly reserve: string;
  readonly in_epoch: string;
  readonly available: string;
  readonly wait_us: string;
}

interface Asked {
  readonly takes: readonly Take[];
  readonly resolve: (grants: readonly Grant[]) => void;
  readonly reject: (error: unknown) => void;
}

const TAKE = `
  SELECT * FROM rate_limit_take($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])`;

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Buckets in an UNLOGGED table of PostgreSQL, by the clock of the server. It has a connection of its
 * own: requests must not wait for their limits behind the queries of other requests.
 */
export class PostgresRateLimitStore extends RateLimitStore {
  readonly name = 'postgres';
  private connecting: Promise<Client> | undefined;
  private connected: Client | undefined;
  private readonly queue: Asked[] = [];
  private isRunning = false;
  private isClosed = false;
  private readonly statement: { readonly name?: string; readonly text: string };

  constructor(private readonly options: PostgresRateLimitStoreOptions) {
    super();
    const { prepare = true } = options;
    this.statement = { ...(prepare && { name: 'rate_limit_take' }), text: TAKE };
  }

  /** One statement at a time, with all that came during the one before. */
  take(takes: readonly Take[]): Promise<readonly Grant[]> {
    return new Promise((resolve, reject) => {
      this.queue.push({ takes, resolve, reject });
      if (!this.isRunning) void this.drain();
    });
  }

  /** Asks for nothing, behind whatever is under way. */
  async probe(): Promise<void> {
    await this.take([]);
  }

  reset(): void {
    const { connected } = this;
    const error = new TypeError('The database of rate limits does not answer.');
    for (const { reject } of this.queue.splice(0)) reject(error);
    if (connected === undefined) return;
    this.forget(connected);
    // It destroys the socket of one that has a statement under way, which fails with it.
    connected.end().catch(this.options.onError);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const { connecting } = this;
    this.connecting = undefined;
    const client = await connecting?.catch(() => undefined);
    await client?.end().catch(this.options.onError);
  }

  private async drain(): Promise<void> {
    this.isRunning = true;
    while (this.queue.length > 0) {
      const asked = this.queue.splice(0);
      try {
        const grants = await this.run(asked.flatMap(({ takes }) => takes));
        let from = 0;
        for (const { takes, resolve } of asked) {
          resolve(grants.slice(from, from + takes.length));
          from += takes.length;
        }
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.isRunning = false;
  }

  private async run(takes: readonly Take[]): Promise<readonly Grant[]> {
    const client = await this.client();
    // Rows are locked in the order of their names, so that two processes never wait for each other.
    const named = takes
      .map((one, at) => ({ one, at, name: bucketName(one) }))
      .sort((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
    const column = (read: (one: Take) => number) => named.map(({ one }) => read(one));
    const { rows } = await client.query<GrantRow>({
      ...this.statement,
      values: [
        named.map(({ name }) => name),
        column(({ policy }) => policy.cellUnits),
        column(({ policy }) => policy.capacityUnits),
        column(({ policy }) => policy.refill),
        column(({ need }) => need),
        column(({ want }) => want),
        column(({ part }) => part),
        column(({ settledEpoch }) => settledEpoch),
        column(({ settled }) => settled),
        column(({ returned }) => returned),
        column(({ debt }) => debt),
      ],
    });
    const grants: Grant[] = [];
    for (const [index, row] of rows.entries()) grants[named[index]?.at ?? index] = grantOf(row);
    return grants;
  }

  private client(): Promise<Client> {
    if (this.isClosed) return Promise.reject(new TypeError('The store of rate limits is closed.'));
    this.connecting ??= this.connect();
    return this.connecting;
  }

  private async connect(): Promise<Client> {
    try {
      const client = new Client({
        connectionString: this.options.url,
        application_name: 'pantheon-rate-limit',
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
      });
      client.on('end', () => this.forget(client));
      client.on('error', (error) => {
        this.forget(client);
        this.options.onError(error);
      });
      await client.connect();
      this.connected = client;
      return client;
    } catch (error) {
      this.connecting = undefined;
      throw error;
    }
  }

  /** There may be another connection by now, which is kept. */
  private forget(client: Client): void {
    if (this.connected !== client) return;
    this.connected = undefined;
    this.connecting = undefined;
  }
}

function grantOf({ granted, reserve, in_epoch, available, wait_us }: GrantRow): Grant {
  return {
    granted: Number(granted),
    reserve: Number(reserve),
    epoch: Number(in_epoch),
    available: Number(available),
    waitUs: Number(wait_us),
  };
}
