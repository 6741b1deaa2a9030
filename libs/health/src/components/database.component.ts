import { Client } from 'pg';
import { HealthComponent, type HealthFinding } from '../health-component.js';

/**
 * Asks PostgreSQL over a connection of its own, so that a busy pool does not count as a lost
 * database. A connection that fails or hangs is thrown away.
 */
export class DatabaseComponent extends HealthComponent {
  readonly name = 'database';
  readonly required = true;
  private client: Promise<Client> | undefined;

  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
  ) {
    super();
  }

  async check(signal: AbortSignal): Promise<HealthFinding> {
    const connecting = (this.client ??= this.connect());
    const discard = (): void => this.discard(connecting);
    signal.addEventListener('abort', discard, { once: true });
    try {
      const client = await connecting;
      await client.query('SELECT 1');
      return { healthy: true };
    } catch {
      discard();
      return { healthy: false, code: 'DATABASE_UNREACHABLE' };
    } finally {
      signal.removeEventListener('abort', discard);
    }
  }

  override async close(): Promise<void> {
    const client = await this.client?.catch(() => undefined);
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'pantheon-health',
      connectionTimeoutMillis: this.timeoutMs,
    });
    // The next check finds out; without a listener the error would end the process.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  private discard(connecting: Promise<Client>): void {
    if (this.client === connecting) this.client = undefined;
    connecting.then(
      (client) => void client.end().catch(() => undefined),
      () => undefined,
    );
  }
}
