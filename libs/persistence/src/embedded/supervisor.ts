import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedPostgresEvents } from './embedded-postgres.events.js';
import type { ServerProcess } from './server-process.js';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** A server that lived longer than this is restarted at once when it dies. */
const STABLE_MS = 60_000;

/**
 * Keeps a server running: when it ends although nobody stopped it, it is started again, at once
 * and then after pauses that double up to five seconds, until it runs or `stop` is called.
 *
 *     running --ended--> down --restart succeeds--> running
 *                         | ^-- restart fails: pause --'
 *     either --stop--> stopped
 */
export class Supervisor {
  private stopped = false;
  private readonly stopping = new AbortController();
  private readonly loop: Promise<void>;

  constructor(
    private server: ServerProcess,
    private readonly restart: () => Promise<ServerProcess>,
  ) {
    this.loop = this.watch();
  }

  get current(): ServerProcess {
    return this.server;
  }

  /** Stops the server and restarts it no more. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopped = true;
    this.stopping.abort();
    await this.server.stop(timeoutMs);
    await this.loop;
  }

  private async watch(): Promise<void> {
    let pauseMs = 0;
    while (!this.stopped) {
      const startedAt = performance.now();
      const reason = await this.server.ended;
      if (this.stopped) return;
      const diedAt = performance.now();
      embeddedPostgresEvents.publish(() => ({ kind: 'died', pid: this.server.pid, reason }));
      if (diedAt - startedAt > STABLE_MS) pauseMs = 0;
      pauseMs = await this.restartUntilUp(pauseMs, diedAt);
    }
  }

  /** @returns the pause before the next restart, should this one not last */
  private async restartUntilUp(firstPauseMs: number, diedAt: number): Promise<number> {
    for (let pauseMs = firstPauseMs; ; pauseMs = longer(pauseMs)) {
      await sleep(pauseMs, undefined, { ref: false, signal: this.stopping.signal }).catch(
        () => undefined,
      );
      if (this.stopped) return pauseMs;
      try {
        this.server = await this.restart();
        // A stop that came meanwhile has stopped the one before.
        if (this.stopped) await this.server.stop(LONGEST_RETRY_MS);
        else this.publishRestart(diedAt);
        return longer(pauseMs);
      } catch (error) {
        const nextTryMs = longer(pauseMs);
        embeddedPostgresEvents.publish(() => ({ kind: 'restart-failed', error, nextTryMs }));
      }
    }
  }

  private publishRestart(diedAt: number): void {
    const downMs = performance.now() - diedAt;
    embeddedPostgresEvents.publish(() => ({ kind: 'restarted', pid: this.server.pid, downMs }));
  }
}

function longer(pauseMs: number): number {
  return Math.min(Math.max(pauseMs * 2, FIRST_RETRY_MS), LONGEST_RETRY_MS);
}
