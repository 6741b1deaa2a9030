import { isError, PantheonError } from '#libs/core';

/** The port that the API was to listen on belongs to another process. */
export class PortTakenError extends PantheonError {
  constructor(
    readonly port: number,
    cause: unknown,
  ) {
    super(
      'HTTP_PORT_TAKEN',
      `Port ${port} is taken by another process. Stop that one, or choose another port: set PORT (http.port).`,
      { kind: 'conflict', cause },
    );
  }

  /** This error, when `error` is the one of a failed `listen`. */
  static from(error: unknown, port: number): PortTakenError | undefined {
    const isTaken = isError(error) && 'code' in error && error.code === 'EADDRINUSE';
    return isTaken ? new PortTakenError(port, error) : undefined;
  }
}
