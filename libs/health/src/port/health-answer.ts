import type { HealthSummary } from '../health-summaries.js';

/** What the thread of the health port goes by. */
export interface HealthState {
  /** The last that the main thread said; undefined before it said anything. */
  readonly summary: HealthSummary | undefined;
  readonly isDraining: boolean;
  /** For how long the main thread has not turned. */
  readonly silentMs: number;
  /** From then on it counts as stalled. */
  readonly stallMs: number;
}

/** A status of HTTP and the body, to be sent as JSON. */
export interface HealthAnswer {
  readonly status: number;
  readonly body: object;
}

/** What the health port answers at an address; undefined where there is nothing. */
export function healthAnswer(path: string, state: HealthState): HealthAnswer | undefined {
  const { silentMs, stallMs } = state;
  switch (path) {
    case '/health/live':
      return silentMs < stallMs ? { status: 200, body: { status: 'ok' } } : stalled(state);
    case '/health/ready': {
      const health = summarise(state);
      return { status: health.isReady ? 200 : 503, body: health.body };
    }
    case '/health': {
      const health = summarise(state);
      // A process that ends in order is well.
      return { status: health.isReady || state.isDraining ? 200 : 503, body: health.body };
    }
    default:
      return undefined;
  }
}

function stalled({ silentMs, summary }: HealthState): HealthAnswer {
  const body = {
    status: 'stalled',
    stalledMs: Math.round(silentMs),
    details: summary?.details ?? {},
  };
  return { status: 503, body };
}

function summarise(state: HealthState): { readonly isReady: boolean; readonly body: object } {
  const { summary, isDraining, silentMs, stallMs } = state;
  if (silentMs >= stallMs) return { isReady: false, body: stalled(state).body };
  const details = summary?.details ?? {};
  if (isDraining) return { isReady: false, body: { status: 'shutting_down', details } };
  if (summary === undefined) return { isReady: false, body: { status: 'starting', details } };
  return { isReady: summary.status === 'ok' || summary.status === 'degraded', body: summary };
}
