import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from './support/app.js';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});

afterAll(() => api.close());

describe.each(['/dashboard', '/docs'])('the page at %s', (page) => {
  it('is served with everything that it refers to, all of it from here', async () => {
    const { status, headers, body } = await api.request('GET', page);
    expect([status, headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/html/),
    ]);
    const references = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
    expect(references.length).toBeGreaterThan(1);
    for (const url of references) {
      expect(url).toMatch(/^\//);
      expect([url, (await api.request('GET', url ?? '')).status]).toEqual([url, 200]);
    }
  });

  it('runs no script of its own text, so that its policy can forbid that', async () => {
    const { headers, body } = await api.request('GET', page);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/);
  });
});

describe('the modules of the dashboard', () => {
  it('import only what is served beside them', async () => {
    const { body } = await api.request('GET', '/dashboard/dashboard.js');
    const imports = [...String(body).matchAll(/from '\.\/([^']+)'/g)].map(([, name]) => name);
    expect(imports.length).toBeGreaterThan(0);
    for (const name of imports) {
      const answer = await api.request('GET', `/dashboard/${name}`);
      expect([name, answer.status, answer.headers.get('content-type')]).toEqual([
        name,
        200,
        expect.stringMatching(/^text\/javascript/),
      ]);
    }
  });

  it('read server-sent events however they are cut', async () => {
    const { body } = await api.request('GET', '/dashboard/server-sent-events.js');
    const { serverSentEvents } = (await import(
      `data:text/javascript,${encodeURIComponent(String(body))}`
    )) as { serverSentEvents: (stream: ReadableStream<Uint8Array>) => AsyncIterable<string> };
    const text = 'event: a\r\ndata: {"ü":1}\r\n\r\n: comment\n\ndata: one\ndata: two\n\ndata: cut';
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 7, bytes.length]) {
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) {
            controller.enqueue(bytes.slice(at, at + size));
          }
          controller.close();
        },
      });
      const events: string[] = [];
      for await (const event of serverSentEvents(stream)) events.push(event);
      expect(events).toEqual(['{"ü":1}', 'one\ntwo']);
    }
  });
});
