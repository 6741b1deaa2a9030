import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { breachHashOf } from '../../libs/auth/src/passwords/breached-passwords.js';
import { startTestApi, type TestApi } from '../support/app.js';

const BREACHED = 'tr0ub4dor and three more words';

describe('a service of breached passwords', () => {
  let service: Server;
  let api: TestApi;
  const asked: string[] = [];

  beforeAll(async () => {
    const hash = breachHashOf(BREACHED);
    service = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.end(url.endsWith(hash.slice(0, 5)) ? `${hash.slice(5)}:12\r\n` : '');
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    api = await startTestApi({
      PANTHEON_AUTH_BREACHED_PASSWORDS_URL: `http://127.0.0.1:${port}/pwned/`,
    });
  });
  afterAll(async () => {
    await api.close();
    service.close();
  });

  const register = (email: string, password: string) =>
    api.request('POST', '/v1/auth/register', { body: { email, password } });

  it('keeps a password out that it knows, and learns five digits of its hash', async () => {
    const { status, body } = await register('a@test.example', BREACHED);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'AUTH_PASSWORD_BREACHED',
      errors: [{ path: 'body.password' }],
    });
    expect(asked.at(-1)).toMatch(/^\/pwned\/range\/[0-9A-F]{5}$/);
    expect((await register('a@test.example', 'unknown to all services')).status).toBe(201);
  });

  it('keeps nobody out while it is away, which the log tells', async () => {
    service.close();
    service.closeAllConnections();
    expect((await register('b@test.example', BREACHED)).status).toBe(201);
    expect(api.log.lines.join('')).toContain('without knowing whether it was breached');
  });
});
