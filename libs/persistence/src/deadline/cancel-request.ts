import { connect } from 'node:net';

/** What PostgreSQL told a connection when it began. */
export interface CancelKey {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

const LENGTH = 16;
/** Of the message CancelRequest (PostgreSQL documentation, "Message Formats"). */
const CANCEL_CODE = 80_877_102;
const TIMEOUT_MS = 2_000;

/**
 * Asks PostgreSQL to cancel what a connection runs. Needs no connection of the pool, all of which may
 * be waiting. Resolves when the server has sent the signal, or could not be asked: then its time-out
 * for statements ends it.
 */
export async function requestCancel({
  host,
  port,
  processID,
  secretKey,
}: CancelKey): Promise<void> {
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(LENGTH);
  message.writeInt32BE(LENGTH, 0);
  message.writeInt32BE(CANCEL_CODE, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/')
    ? connect(`${host}/.s.PGSQL.${port}`)
    : connect({ host, port });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  await new Promise<void>((resolve) => {
    // The server closes the connection after it has sent the signal. An error is followed by it too.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.end(message);
    socket.resume();
  });
}
