import { PantheonError } from '#libs/core';

/** Thrown when somebody asks for the metrics who may not have them without the token. */
export class MetricsForbiddenError extends PantheonError {
  constructor() {
    super(
      'METRICS_TOKEN_REQUIRED',
      'The metrics need their bearer token (PANTHEON_METRICS_TOKEN) from another machine.',
      { kind: 'unauthenticated' },
    );
  }
}
