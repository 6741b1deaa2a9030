import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { OutboundHttp, Policies, policySettings } from '#libs/resilience';
import { cosine } from './embedding-provider.js';
import { HttpEmbeddingProvider } from './http-embedding-provider.js';

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly isSilent?: boolean;
}

let server: Server;
let requests: {
  readonly body: { texts: string[] };
  readonly headers: IncomingMessage['headers'];
}[];
let clock: ManualClock;
let answer: (texts: readonly string[]) => Answer;

beforeEach(async () => {
  requests = [];
  answer = (texts) => ({ body: { embeddings: texts.map((one) => [one.length, -1, 0.5]) } });
  server = createServer((request, response) => {
    void respond(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = (await json(request)) as { texts: string[] };
  requests.push({ body, headers: request.headers });
  const { status = 200, body: answered, isSilent } = answer(body.texts);
  if (isSilent !== true) response.writeHead(status).end(JSON.stringify(answered ?? {}));
}

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function provider(more: object = {}): HttpEmbeddingProvider {
  const { port } = server.address() as AddressInfo;
  clock = new ManualClock();
  const outbound = new OutboundHttp(new Policies(new SettingsStore([policySettings]), clock));
  return new HttpEmbeddingProvider(outbound, {
    url: `http://127.0.0.1:${port}/embed`,
    timeoutMs: 5000,
    ...more,
  });
}

describe('an embedding service over HTTP', () => {
  it('gives a vector a text, in their order, in batches', async () => {
    const vectors = await provider({ batchTexts: 2, token: 'secret' }).embed(['a', 'bb', 'ccc']);
    expect(vectors).toHaveLength(3);
    expect(requests.map(({ body }) => body.texts)).toEqual([['a', 'bb'], ['ccc']]);
    expect(requests[0]?.headers.authorization).toBe('Bearer secret');
    expect(cosine(vectors[2] ?? new Uint8Array(), Uint8Array.of(3, 255, 0))).toBeGreaterThan(0.95);
  });

  it.each<[string, Answer]>([
    ['an error', { status: 500 }],
    ['no vectors', { body: {} }],
    ['too few vectors', { body: { embeddings: [] } }],
    ['no vectors of numbers', { body: { embeddings: [['x']] } }],
    ['nothing in time', { isSilent: true }],
  ])('rejects when the service answers %s', async (_, bad) => {
    answer = () => bad;
    await expect(provider({ timeoutMs: 300 }).embed(['a'])).rejects.toMatchObject({
      code: 'EMBEDDING_UNAVAILABLE',
      kind: 'unavailable',
    });
  });

  it('leaves a failing service alone, and comes back to it', async () => {
    answer = () => ({ status: 503 });
    const embeddings = provider();
    for (let call = 0; call < 10; call += 1) {
      await expect(embeddings.embed(['a'])).rejects.toThrow();
    }
    expect(requests).toHaveLength(3);
    answer = () => ({ body: { embeddings: [[1]] } });
    clock.advance(10_000);
    expect(await embeddings.embed(['a'])).toHaveLength(1);
    expect(requests).toHaveLength(4);
  });
});
