import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { HealthSummary } from '../health-summaries.js';
import { healthAnswer } from './health-answer.js';
import {
  type FromThread,
  type HealthThreadData,
  type ScrapeAnswer,
  Slot,
  type ToThread,
} from './health-port.messages.js';

/**
 * The thread of the health port. It has an event loop of its own, so that no load on the main one
 * delays an answer, and imports nothing beyond Node's HTTP server, to stay small.
 */
const MAX_CONNECTIONS = 256;
/** Who asks for health is near, and asks for little. */
const CLIENT_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8 * 1024;
const NS_PER_MS = 1_000_000n;

const { host, port, stallMs, scrapeTimeoutMs, shared } = workerData as HealthThreadData;
const slots = new BigInt64Array(shared);
const pending = new Map<number, (answer: ScrapeAnswer) => void>();
let summary: HealthSummary | undefined;
let lastId = 0;

function say(message: FromThread): void {
  parentPort?.postMessage(message);
}

function answerHealth(path: string, response: ServerResponse): void {
  const silentNs = process.hrtime.bigint() - Atomics.load(slots, Slot.turnedAt);
  const answer = healthAnswer(path, {
    summary,
    isDraining: Atomics.load(slots, Slot.draining) === 1n,
    silentMs: Number(silentNs / NS_PER_MS),
    stallMs,
  }) ?? { status: 404, body: { status: 'not_found' } };
  send(response, {
    status: answer.status,
    contentType: 'application/json; charset=utf-8',
    text: JSON.stringify(answer.body),
  });
}

/** Only the main thread knows the metrics, and it may be busy. */
function scrape({ headers, socket }: IncomingMessage, response: ServerResponse): void {
  const id = ++lastId;
  const timer = setTimeout(() => {
    finish({ status: 504, contentType: 'text/plain', text: 'The process is too busy.\n' });
  }, scrapeTimeoutMs);
  const finish = (answer: ScrapeAnswer): void => {
    clearTimeout(timer);
    pending.delete(id);
    send(response, answer);
  };
  pending.set(id, finish);
  say({
    type: 'scrape',
    id,
    request: {
      authorization: headers.authorization,
      remoteAddress: socket.remoteAddress,
      isForwarded: 'x-forwarded-for' in headers || 'forwarded' in headers,
    },
  });
}

function send(response: ServerResponse, { status, contentType, text }: ScrapeAnswer): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

const server = createServer(
  {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: CLIENT_TIMEOUT_MS,
    keepAliveTimeout: CLIENT_TIMEOUT_MS,
  },
  (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, { status: 405, contentType: 'text/plain', text: 'GET or HEAD only.\n' });
    } else if (path === '/metrics') scrape(request, response);
    else answerHealth(path, response);
  },
);
server.maxConnections = MAX_CONNECTIONS;
server.once('error', (error: NodeJS.ErrnoException) => {
  say({ type: 'failed', code: error.code ?? '', message: error.message });
});
server.listen(port, host, () => {
  say({ type: 'listening', port: (server.address() as AddressInfo).port });
});

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'summary') summary = message.summary;
  else pending.get(message.id)?.(message.answer);
});
