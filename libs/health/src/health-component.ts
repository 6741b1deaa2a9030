/** What a check found. Codes are stable and tell nothing of the inside. */
export type HealthFinding =
  { readonly healthy: true } | { readonly healthy: false; readonly code: string };

/** Something that the process needs, and how to find out whether it is there. */
export abstract class HealthComponent {
  abstract readonly name: string;
  /** Without a required component the process is not ready; without another it is degraded. */
  abstract readonly required: boolean;

  /**
   * Looks once. May reject or take long: the monitor that calls it has its own time-out, and
   * then aborts `signal`.
   */
  abstract check(signal: AbortSignal): Promise<HealthFinding>;

  /** Gives up what checking needs. May be called twice. */
  async close(): Promise<void> {
    // Most components hold nothing.
  }
}
