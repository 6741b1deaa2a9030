import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { closeIdleConnectionsAtEnd } from './closing-connections.js';

const KEEP_ALIVE_MS = 120_000;

describe('closing the server', () => {
  it('waits for requests, but for no connection without one', async () => {
    const server = fastify({ forceCloseConnections: 'idle', keepAliveTimeout: KEEP_ALIVE_MS });
    closeIdleConnectionsAtEnd(server);
    let answer = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => {
      server.get('/', () => {
        resolve();
        return new Promise((send) => {
          answer = () => send({ ok: true });
        });
      });
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as AddressInfo;
    const unused = connect(port, '127.0.0.1');
    await once(unused, 'connect');
    // Keeps its connection for the next request, for longer than this test may take.
    const agent = new Agent({ keepAlive: true, timeout: KEEP_ALIVE_MS });
    const request = get({ port, host: '127.0.0.1', agent });
    const response = once(request, 'response');
    await isAsked;

    const closed = server.close();
    await once(unused, 'close');
    answer();
    const [message] = (await response) as [IncomingMessage];
    expect(message.statusCode).toBe(200);
    message.resume();
    await closed;
    agent.destroy();
  });

  it('ends when there is nothing to wait for', async () => {
    const server = fastify();
    closeIdleConnectionsAtEnd(server);
    await server.listen({ port: 0, host: '127.0.0.1' });
    await server.close();
    const neverListened = fastify();
    closeIdleConnectionsAtEnd(neverListened);
    await neverListened.ready();
    await neverListened.close();
    expect(server.server.listening).toBe(false);
  });
});
