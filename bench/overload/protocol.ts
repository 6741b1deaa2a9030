/** What the handlers of the server take. */
export const CPU_MS = 4;
export const IO_MS = 20;
/** As many requests of the second may wait at once. */
export const IO_SLOTS = 20;

/** To the server; it answers with a report. */
export interface ServerMessage {
  /** Switches admission control on or off. */
  readonly enabled?: boolean;
}

export interface ServerReport {
  readonly port: number;
  readonly cpuMs: number;
  readonly limit: number;
  readonly inFlight: number;
  readonly rssBytes: number;
}
