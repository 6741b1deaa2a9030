import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SystemClock } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { toDatabaseError } from '../errors/database-error.js';
import { PlatformPool } from './platform-pool.js';

const WAIT_MS = 150;

let database: TestDatabase;
let network: Server;
let pool: PlatformPool;
/** What is between us and PostgreSQL takes everything and passes nothing on. */
let isCut = false;
const sockets = new Set<Socket>();

beforeAll(async () => {
  database = await createTestDatabase();
  const target = new URL(database.url);
  network = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => isCut || far.write(data)).on('close', () => far.destroy());
    far.on('data', (data) => isCut || near.write(data)).on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(network, 'listening');
  const url = new URL(database.url);
  url.host = `127.0.0.1:${(network.address() as AddressInfo).port}`;
  pool = new PlatformPool(
    { connectionString: url.href, max: 2, connectionTimeoutMillis: WAIT_MS },
    {
      clock: new SystemClock(),
      maxWaiting: 100,
      prepared: undefined,
      breaker: { timeouts: 3, openMs: 50 },
    },
  );
  pool.on('error', () => undefined);
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  network.close();
  await pool.end();
  await database.close();
});

async function ask(): Promise<unknown> {
  try {
    const client = await pool.connect();
    client.release();
    return 'connected';
  } catch (error) {
    return toDatabaseError(error)?.code ?? (error as { code?: string }).code;
  }
}

async function answers(): Promise<void> {
  while ((await ask()) !== 'connected') await sleep(20);
  expect(pool.breaker.state).toBe('closed');
}

it('sees that no connection can be made, one caller after the other', async () => {
  isCut = true;
  expect(pool.totalCount).toBe(0);
  const waited = [await ask(), await ask(), await ask()];
  expect(new Set(waited)).toEqual(new Set(['DATABASE_UNAVAILABLE']));
  expect(pool.breaker.state).toBe('open');
  expect(pool.monitor.counts).toMatchObject({ timedOut: 3, errors: 0 });
  isCut = false;
  await answers();
});

it('lets callers wait no more for a database that does not answer, until it does', async () => {
  expect(await ask()).toBe('connected');
  isCut = true;
  // Who had a connection still has it, and gets no answer; it would look like that for ever.
  const held = await pool.connect();
  const stuck = held.query('SELECT 1').catch(() => 'lost');
  const waited = await Promise.all(Array.from({ length: 10 }, ask));
  expect(new Set(waited)).toEqual(new Set(['DATABASE_UNAVAILABLE']));
  expect(pool.breaker.state).toBe('open');
  const { timedOut } = pool.monitor.counts;
  const refused = await Promise.all(Array.from({ length: 500 }, ask));
  expect(new Set(refused)).toEqual(new Set(['DATABASE_UNAVAILABLE']));
  // At most one of them has waited, to see.
  expect(pool.monitor.counts.timedOut - timedOut).toBeLessThanOrEqual(1);
  expect(pool.monitor.counts.refused).toBeGreaterThanOrEqual(499);
  isCut = false;
  await answers();
  for (const socket of sockets) socket.destroy();
  expect(await stuck).toBe('lost');
  held.release(true);
});
