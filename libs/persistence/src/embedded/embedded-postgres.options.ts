import { resolve } from 'node:path';

export interface EmbeddedPostgresOptions {
  /** Where the database and its files live. Made when it does not exist. */
  readonly dataDir: string;
  /** Port on 127.0.0.1. Default: 0, a free one. */
  readonly port?: number;
  /** Most connections at once. Default: 100. */
  readonly maxConnections?: number;
  /** Further PostgreSQL settings by name; they win over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The user as whom the server runs when we are root. Default: postgres, else nobody. */
  readonly osUser?: string;
  /** Where root puts what that user cannot reach in its place. Default: /var/lib/pantheon. */
  readonly sharedFolder?: string;
  /** Longest wait for the server to accept connections, recovery included. Default: 120,000. */
  readonly startTimeoutMs?: number;
  /** Longest wait for an orderly stop, before it is forced. Default: 10,000. */
  readonly stopTimeoutMs?: number;
  /** Called with each line of the server's log. */
  readonly onLog?: (line: string) => void;
  /** Called with a sentence when something happens that a person should know. */
  readonly onNotice?: (sentence: string) => void;
}

export type ResolvedEmbeddedPostgresOptions = Required<
  Omit<EmbeddedPostgresOptions, 'osUser' | 'onLog' | 'onNotice'>
> &
  Pick<EmbeddedPostgresOptions, 'osUser' | 'onLog' | 'onNotice'>;

/** Puts the defaults in. */
export function resolveEmbeddedPostgresOptions(
  options: EmbeddedPostgresOptions,
): ResolvedEmbeddedPostgresOptions {
  return {
    ...options,
    dataDir: resolve(options.dataDir),
    port: options.port ?? 0,
    maxConnections: options.maxConnections ?? 100,
    settings: options.settings ?? {},
    sharedFolder: options.sharedFolder ?? '/var/lib/pantheon',
    startTimeoutMs: options.startTimeoutMs ?? 120_000,
    stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
  };
}

/** Fits a laptop; what is acknowledged is on disk (synchronous_commit and fsync stay on). */
const DEFAULTS: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '1GB',
  synchronous_commit: 'on',
  random_page_cost: '1.1',
  jit: 'off',
  huge_pages: 'off',
  shared_preload_libraries: 'pg_stat_statements',
  track_io_timing: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // A client that was killed no longer occupies the server with its query.
  client_connection_check_interval: '2s',
};

/** The settings that the server gets on its command line, except its port. */
export function serverSettings(options: ResolvedEmbeddedPostgresOptions): Record<string, string> {
  return {
    ...DEFAULTS,
    max_connections: String(options.maxConnections),
    ...options.settings,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
}
