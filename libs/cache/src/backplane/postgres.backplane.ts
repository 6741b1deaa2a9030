import { Client, type ClientConfig, escapeIdentifier } from 'pg';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { CacheUnavailableError } from '../errors/cache-unavailable.error.js';
import { cacheFault } from '../statistics/cache.channels.js';
import type { SqlClient } from '../tier/sql-client.js';
import { Backplane, type BackplaneEvents } from './backplane.js';

/** $1 channel, $2 node, $3 text, $4 ms after which a silent node is gone. Counts the others and us. */
const PUBLISH = {
  name: 'cache_backplane_publish',
  text: `
    WITH present AS (
      INSERT INTO cache_node (channel, id, seen_at) VALUES ($1, $2, clock_timestamp())
      ON CONFLICT (channel, id) DO UPDATE SET seen_at = excluded.seen_at
      RETURNING 1
    ), sent AS (SELECT pg_notify($1, $3))
    SELECT (SELECT count(*) FROM sent) + count(*) AS nodes FROM cache_node
    WHERE channel = $1 AND id <> $2 AND seen_at > clock_timestamp() - $4 * interval '1 ms'`,
};

const REPLY = { name: 'cache_backplane_reply', text: 'SELECT pg_notify($1, $2)' };
const LEAVE = 'DELETE FROM cache_node WHERE channel = $1 AND (id = $2 OR seen_at < $3)';
const LONGEST_PAUSE_MS = 1_000;

export interface PostgresBackplaneOptions {
  /** Publishes. Stays the caller's to close. The migrations `cacheMigrations` must have run. */
  readonly sql: SqlClient;
  /** For the connection that listens; it must not go through a pooler that shares connections. */
  readonly connection: ClientConfig;
  /** Nodes with the same one hear each other. Default `cache_bus`. */
  readonly channel?: string;
  /** A node that published nothing for so long is not waited for. Default 5,000. */
  readonly goneAfterMs?: number;
  readonly timeoutMs?: number;
}

/**
 * LISTEN and NOTIFY of PostgreSQL. Nodes are counted by a table in which each says at least with
 * every heartbeat that it is there.
 */
export class PostgresBackplane extends Backplane {
  readonly name = 'postgres-backplane';
  /** PostgreSQL takes less than 8,000. */
  readonly maxMessageBytes = 7_900;
  private readonly channel: string;
  private nodeId = '';
  private events: BackplaneEvents | undefined;
  private client: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** Under way. Each says that this node is there. */
  private readonly publications = new Set<Promise<unknown>>();
  private pauseMs = 50;

  constructor(private readonly options: PostgresBackplaneOptions) {
    super();
    this.channel = options.channel ?? 'cache_bus';
  }

  async start(nodeId: string, events: BackplaneEvents): Promise<void> {
    this.nodeId = nodeId;
    this.events = events;
    await this.tryListening();
  }

  async publish(text: string): Promise<number> {
    if (this.isClosed) throw new CacheUnavailableError(this.name, 'it is closed');
    const { goneAfterMs = 5_000, timeoutMs = 2_000, sql } = this.options;
    const values = [this.channel, this.nodeId, text, goneAfterMs];
    const query = { ...PUBLISH, values, query_timeout: timeoutMs };
    const publication = sql.query<{ nodes: string }>(query);
    this.publications.add(publication);
    try {
      const { rows } = await publication;
      return Number(rows[0]?.nodes);
    } finally {
      this.publications.delete(publication);
    }
  }

  async reply(nodeId: string, text: string): Promise<void> {
    await this.options.sql.query({ ...REPLY, values: [this.channelOf(nodeId), text] });
  }

  reconnect(): void {
    // pg keeps the socket to itself; a farewell would wait for an answer that does not come.
    const { client } = this as unknown as { client?: { connection: { stream: Socket } } };
    client?.connection.stream.destroy();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.retry);
    const { client } = this;
    this.client = undefined;
    // One that came after the farewell would take it back.
    await Promise.allSettled(this.publications);
    await Promise.allSettled([
      client?.end(),
      this.nodeId === ''
        ? undefined
        : this.options.sql.query({
            text: LEAVE,
            values: [this.channel, this.nodeId, new Date(Date.now() - 3_600_000)],
          }),
    ]);
  }

  private async listen(): Promise<void> {
    const client = new Client({ ...this.options.connection, keepAlive: true });
    client.on('error', (error) => {
      cacheFault.publish(() => ({ part: this.name, operation: 'connection', error }));
    });
    client.on('end', () => this.onEnd(client));
    client.on('notification', ({ payload }) => this.events?.onMessage(payload ?? ''));
    try {
      await client.connect();
      const channels = [this.channel, this.channelOf(this.nodeId)].map(escapeIdentifier);
      await client.query(channels.map((channel) => `LISTEN ${channel}`).join('; '));
    } catch (error) {
      client.end().catch(() => undefined);
      throw new CacheUnavailableError(this.name, 'it cannot listen', error);
    }
    if (this.isClosed) {
      await client.end();
      return;
    }
    this.client = client;
    this.pauseMs = 50;
    this.events?.onState(true);
  }

  private onEnd(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.events?.onState(false);
    this.listenAgain();
  }

  private async tryListening(): Promise<void> {
    try {
      await this.listen();
    } catch (error) {
      cacheFault.publish(() => ({ part: this.name, operation: 'listen', error }));
      this.listenAgain();
    }
  }

  private listenAgain(): void {
    if (this.isClosed) return;
    this.retry = setTimeout(() => void this.tryListening(), this.pauseMs).unref();
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs * 2);
  }

  /** Names of channels are identifiers of at most 63 bytes. */
  private channelOf(nodeId: string): string {
    return createHash('sha256').update(`${this.channel}:${nodeId}`).digest('hex').slice(0, 48);
  }
}
