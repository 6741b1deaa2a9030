import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { startTestApi, type TestApi } from '../support/app.js';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});

afterAll(() => api.close());

/** Sends bytes as they are and returns the head of the first answer. */
function send(text: string): Promise<string> {
  const { port, hostname } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setTimeout(10_000, () => reject(new Error(`No answer: ${answer}`)));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      answer += String(chunk);
      const end = answer.indexOf('\r\n\r\n');
      if (end === -1) return;
      resolve(answer.slice(0, end));
      socket.destroy();
    });
    socket.on('close', () => reject(new Error(`Closed: ${answer}`)));
    socket.write(text);
  });
}

const HOST = 'Host: localhost\r\n';

describe('X-Request-Id', () => {
  it.each([
    ['a route', `GET /health/live HTTP/1.1\r\n${HOST}\r\n`, 200],
    ['a route that needs a token', `GET /v1/sources HTTP/1.1\r\n${HOST}\r\n`, 401],
    ['an unknown path', `GET /nothing HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['a path that cannot be decoded', `GET /%zz HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['an overlong parameter', `GET /v1/sources/${'x'.repeat(3_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
    ['the whole server', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['an absolute address', `GET http://localhost/health/live HTTP/1.1\r\n${HOST}\r\n`, undefined],
    [
      'broken JSON',
      `POST /v1/auth/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{a`,
      400,
    ],
    ['what is not HTTP', 'nonsense\r\n\r\n', 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('stands on the answer to %s', async (_, request, status) => {
    const head = await send(request);
    expect(head).toMatch(/^x-request-id: [\w.-]{16,128}\r?$/im);
    if (status !== undefined) expect(head.split(' ')[1]).toBe(String(status));
  });

  it.each(['/health/live', '/nothing', '/%zz'])('is that of the client on %s', async (path) => {
    const head = await send(`GET ${path} HTTP/1.1\r\n${HOST}X-Request-Id: from.me-1\r\n\r\n`);
    expect(head).toMatch(/^x-request-id: from\.me-1\r?$/im);
  });

  it.each(['/%zz', `/v1/sources/${'x'.repeat(3_000)}`])(
    'stands in the access line of a request that the router refuses (%#)',
    async (path) => {
      api.log.lines.length = 0;
      await send(`GET ${path} HTTP/1.1\r\n${HOST}X-Request-Id: refused-1\r\n\r\n`);
      const records = api.log.records.filter(({ requestId }) => requestId === 'refused-1');
      expect(records).toMatchObject([{ module: 'http', route: null }]);
    },
  );

  it('stands in the lines about a request, the access line and that of a failure', async () => {
    api.log.lines.length = 0;
    await api.request('POST', '/v1/auth/login', {
      body: { email: 'nobody@test.example', password: 'not the right one' },
      headers: { 'x-request-id': 'traced-1' },
    });
    const records = api.log.records.filter(({ requestId }) => requestId === 'traced-1');
    expect(records.map(({ module }) => module)).toContain('http');
    expect(api.log.lines.join('')).not.toContain('not the right one');
  });
});
