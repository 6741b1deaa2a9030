import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { ModulesContainer } from '@nestjs/core';
import { afterEach, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import { onRequestEnd, registerRequestContext } from '#libs/logging';
import { fastify, type FastifyInstance } from 'fastify';
import { AdmissionControl } from './admission-control.js';
import { admissionSettings } from './admission.settings.js';
import { NodeEventLoop } from './event-loop.js';
import { FastifyAdmission } from './fastify-admission.js';

let app: FastifyInstance;
let admission: FastifyAdmission;

afterEach(async () => {
  admission.onApplicationShutdown();
  await app.close();
});

it('keeps no place for a client that has left while an earlier hook waited', async () => {
  const store = new SettingsStore([admissionSettings]);
  const clock = new SystemClock();
  const control = new AdmissionControl(clock, new NodeEventLoop(), store.get(admissionSettings));
  admission = new FastifyAdmission(control, store, clock, new ModulesContainer());
  app = fastify();
  registerRequestContext(app);
  const seen: (() => void)[] = [];
  app.addHook('onRequest', (_request, _reply, done) => void seen.push(done));
  const left = new Promise<void>((resolve) => onRequestEnd(app, () => resolve()));
  admission.register(app);
  let handled = 0;
  app.get('/', () => {
    handled += 1;
    return {};
  });
  await app.listen({ port: 0, host: '127.0.0.1' });

  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.resetAndDestroy();
  await left;
  seen[0]?.();

  expect(control.interactive).toMatchObject({ inFlight: 0, admitted: 0 });
  expect(control.inFlight).toBe(0);
  expect(handled).toBe(0);
});
