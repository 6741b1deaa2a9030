import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOK_AGAIN_MS = 50;

/**
 * Lets the server close as soon as its last request is answered. Left to themselves, Node and
 * Fastify wait for two kinds of connections on which nothing happens: those that became idle after
 * the closing began, until keep-alive ends, and those on which no request has ever come, until
 * its headers are overdue. Browsers and pools open the second kind ahead of need.
 */
export function closeIdleConnectionsAtEnd(fastify: FastifyInstance): void {
  const { server } = fastify;
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket));
  fastify.addHook('preClose', (done) => {
    for (const socket of unused) socket.destroy();
    if (server.listening) {
      const timer = setInterval(() => server.closeIdleConnections(), LOOK_AGAIN_MS).unref();
      server.once('close', () => clearInterval(timer));
    }
    done();
  });
}
