import type { FastifyInstance } from 'fastify';
import type { Metrics } from '#libs/metrics';
import type { ShutdownFigures } from '#libs/resilience';

/**
 * Follows the requests of a server from the moment at which the process was told to end until the
 * port is closed and nobody is connected.
 */
export class RequestDrain {
  private readonly inFlight: number;
  private readonly startedBefore: number;
  private cut = 0;

  constructor(
    private readonly fastify: FastifyInstance,
    private readonly metrics: Metrics,
  ) {
    this.inFlight = metrics.http.inFlight;
    this.startedBefore = metrics.http.startedTotal;
  }

  /** Closes the port and waits for the requests under way; when `signal` aborts it cuts them off. */
  async finish(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.cutOff(), { once: true });
    this.metrics.endStreams();
    await this.fastify.close();
  }

  /** What has become of the requests so far. */
  get figures(): ShutdownFigures {
    const { inFlight, cut } = this;
    const arrived = this.metrics.http.startedTotal - this.startedBefore;
    return { inFlight, arrived, finished: inFlight + arrived - cut, cut };
  }

  private cutOff(): void {
    this.cut = this.metrics.http.inFlight;
    this.fastify.server.closeAllConnections();
  }
}
