import { PantheonError } from '#libs/core';

/** The port that the health thread was to listen on belongs to another process. */
export class HealthPortTakenError extends PantheonError {
  constructor(readonly port: number) {
    super(
      'HEALTH_PORT_TAKEN',
      `Port ${port} is taken by another process. Stop that one, or choose another port for the health checks: set PANTHEON_HEALTH_PORT (health.port).`,
      { kind: 'conflict' },
    );
  }
}
