import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from './support/app.js';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_HTTP_BODY_LIMIT_BYTES: '4096' });
});

afterAll(() => api.close());

function patchConfig(body: string, contentType = 'application/json') {
  return api.request('PATCH', '/v1/config', { body, headers: { 'content-type': contentType } });
}

describe('the HTTP layer', () => {
  it('answers an unknown route with a problem document that carries the request id', async () => {
    const answer = await api.request('GET', '/v1/nothing', {
      headers: { 'x-request-id': 'mine-1' },
    });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('x-request-id')).toBe('mine-1');
    expect(answer.body).toMatchObject({
      type: 'urn:pantheon:problem:route-not-found',
      status: 404,
      code: 'ROUTE_NOT_FOUND',
      requestId: 'mine-1',
    });
  });

  it('makes an id of its own for one that could not stand in a log', async () => {
    const answer = await api.request('GET', '/v1/nothing', {
      headers: { 'x-request-id': 'a b"c' },
    });
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]{8,}$/);
  });

  it.each([
    ['malformed JSON', '{"a":', 'application/json', 400, 'BODY_NOT_JSON'],
    ['an empty body', '', 'application/json', 400, 'BODY_EMPTY'],
    ['a prototype', '{"__proto__": {"admin": true}}', 'application/json', 400, 'BODY_NOT_JSON'],
    [
      'another media type',
      'a=1',
      'application/x-www-form-urlencoded',
      415,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    ['plain text', 'hello', 'text/plain', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    [
      'too much',
      JSON.stringify({ a: 'x'.repeat(5000) }),
      'application/json',
      413,
      'BODY_TOO_LARGE',
    ],
  ])('refuses %s', async (_, body, contentType, status, code) => {
    const answer = await patchConfig(body, contentType);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('refuses lines of JSON where it takes one document', async () => {
    const answer = await api.request('PATCH', '/v1/config', {
      token: await api.login(),
      body: '{}\n{}',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect([answer.status, answer.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
  });

  it('refuses a parameter that is too long with a problem document as well', async () => {
    const answer = await api.request('GET', `/v1/jobs/${'x'.repeat(300)}`);
    expect([answer.status, answer.body.code]).toEqual([414, 'URL_TOO_LONG']);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
  });

  it('answers what is no HTTP at all with a problem document and closes the connection', async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.end('NONSENSE\r\n\r\n');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(answer).toContain('"code":"HTTP_INVALID"');
  });

  it('sends the headers that browsers protect themselves by, and none that names the server', async () => {
    const { headers } = await api.request('GET', '/docs/openapi.json');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });
});
