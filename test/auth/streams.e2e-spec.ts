import { setTimeout as pause } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { Controller, Get, Module, StreamableFile } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReturnsText } from '../../libs/http/src/index.js';
import { startTestApi, type TestApi } from '../support/app.js';

const EVENTS = '/v1/perf/metrics/stream';
const LINES = '/v1/test/lines';
const ACCOUNT = { email: 'watcher@test.example', password: 'a password of a watcher' };

@Controller(LINES)
class LinesController {
  @Get()
  @ReturnsText(200, 'A line now and then', 'application/x-ndjson')
  lines(): StreamableFile {
    return new StreamableFile(Readable.from(linesForLong()));
  }
}

@Module({ controllers: [LinesController] })
class LinesModule {}

let api: TestApi;
let administrator: string;
let user: string;

beforeAll(async () => {
  api = await startTestApi(
    { PANTHEON_AUTH_STREAM_CHECK_MS: '100', PANTHEON_METRICS_STREAM_INTERVAL_MS: '100' },
    [LinesModule],
  );
  administrator = await api.login();
  await asAdministrator('POST', 'roles', {
    name: 'watcher',
    grants: [
      { resource: 'perf', action: 'read' },
      { resource: 'source', action: '*' },
      { resource: 'source:*', action: '*' },
    ],
  });
  user = (await asAdministrator('POST', 'users', { ...ACCOUNT, roles: ['watcher'] })).body.id;
});
afterAll(() => api.close());

const asAdministrator = (method: string, path: string, body?: unknown) =>
  api.request(method, `/v1/auth/${path}`, {
    token: administrator,
    ...(body !== undefined && { body }),
  });

describe.each([
  ['events', EVENTS],
  ['lines', LINES],
])('a stream of %s', (_, path) => {
  it('goes on as long as its session, and ends with it', async () => {
    const token = await api.login(ACCOUNT);
    const stream = await open(path, { authorization: `Bearer ${token}` });
    await pause(400);
    expect(stream.isOpen).toBe(true);
    await api.request('POST', '/v1/auth/logout', { token });
    await expect(stream.ended).resolves.toBe('cut');
  });

  it('ends when its user is disabled', async () => {
    const token = await api.login(ACCOUNT);
    const stream = await open(path, { authorization: `Bearer ${token}` });
    await asAdministrator('PATCH', `users/${user}`, { disabled: true });
    await expect(stream.ended).resolves.toBe('cut');
    await asAdministrator('PATCH', `users/${user}`, { disabled: false });
  });

  it('ends when its API key is revoked', async () => {
    const token = await api.login(ACCOUNT);
    const { body: made } = await api.request('POST', '/v1/auth/api-keys', {
      token,
      body: { name: 'robot', scope: [{ resource: 'perf', action: 'read' }] },
    });
    const stream = await open(path, { 'x-api-key': made.key });
    await pause(400);
    expect(stream.isOpen).toBe(true);
    await api.request('DELETE', `/v1/auth/api-keys/${made.id}`, { token });
    await expect(stream.ended).resolves.toBe('cut');
  });
});

describe('a stream without an end', () => {
  it('ends when its caller loses the permission of its route', async () => {
    const stream = await open(EVENTS, { authorization: `Bearer ${await api.login(ACCOUNT)}` });
    await asAdministrator('PATCH', `users/${user}`, { roles: [] });
    await expect(stream.ended).resolves.toBe('cut');
    await asAdministrator('PATCH', `users/${user}`, { roles: ['watcher'] });
  });

  it('ends with its token, which one with an end may outlive', async () => {
    const headers = { authorization: `Bearer ${await api.login(ACCOUNT)}` };
    const [events, lines] = await Promise.all([open(EVENTS, headers), open(LINES, headers)]);
    api.clock.advance(16 * 60_000);
    await expect(events.ended).resolves.toBe('cut');
    expect(lines.isOpen).toBe(true);
    lines.leave();
    administrator = await api.login();
  });
});

describe('an upload of lines', () => {
  it('ends with its session', async () => {
    const token = await api.login(ACCOUNT);
    const source = { name: 'uploads', kind: 'document' };
    expect(await api.request('POST', '/v1/sources', { token, body: source })).toMatchObject({
      status: 201,
    });
    const upload = fetch(`${api.url}/v1/sources/uploads/entries/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      body: Readable.from(linesForLong()),
      duplex: 'half',
    } as unknown as RequestInit).then(
      ({ status }) => status,
      () => 'cut',
    );
    await pause(200);
    await api.request('POST', '/v1/auth/logout', { token });
    await expect(upload).resolves.toBe('cut');
  });
});

interface OpenStream {
  readonly isOpen: boolean;
  /** How it ended: by itself or cut off. */
  readonly ended: Promise<'done' | 'cut'>;
  leave(): void;
}

/** A stream of which the first part has come. */
async function open(path: string, headers: Readonly<Record<string, string>>): Promise<OpenStream> {
  const stop = new AbortController();
  const response = await fetch(api.url + path, { headers, signal: stop.signal });
  expect(response.status).toBe(200);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const stream = { isOpen: true, ended: drain(), leave: () => stop.abort() };
  return stream;

  async function drain(): Promise<'done' | 'cut'> {
    try {
      while (!(await reader.read()).done);
      return 'done';
    } catch {
      return 'cut';
    } finally {
      stream.isOpen = false;
    }
  }
}

/** Longer than a test takes; who leaves ends it before. */
async function* linesForLong(): AsyncGenerator<string> {
  for (let line = 0; line < 1_000; line += 1) {
    yield `{"text":"line ${line}"}\n`;
    await pause(20);
  }
}
