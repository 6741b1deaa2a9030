import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestAnswer, type TestApi } from './support/app.js';
import { type InputSchema, type Operation, operationsOf } from './support/openapi.js';

/** Stands in everything of Alice's; nobody else may ever be answered with it. */
const SECRET = 'alice-keeps-this-to-herself';
const BODY_LIMIT_BYTES = 16_384;
/** Each of some forgeries on each route is near a thousand requests, one after the other. */
const MANY_REQUESTS_MS = 240_000;

let api: TestApi;
let operations: Operation[];
let administrator: string;
let alice: string;
let bob: string;
/** Ids of what is Alice's, by the path template that takes them. */
let idsOfAlice: ReadonlyMap<RegExp, string>;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_HTTP_BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES) });
  const document = await api.request('GET', '/docs/openapi.json');
  operations = operationsOf(document.body);
  administrator = await api.login();
  alice = await api.register('alice@test.example');
  bob = await api.register('bob@test.example');
  idsOfAlice = await createThingsOf(alice);
});

afterAll(() => api.close());

async function createThingsOf(token: string): Promise<ReadonlyMap<RegExp, string>> {
  const source = await api.request('POST', '/v1/sources', {
    token,
    body: { name: 'diary', kind: 'document', label: SECRET },
  });
  expect(source.status).toBe(201);
  await api.request('POST', '/v1/sources/diary/entries', { token, body: { text: SECRET } });
  const memory = await api.request('POST', '/v1/memories/remember', {
    token,
    body: { text: SECRET },
  });
  expect(memory.status).toBe(201);
  const role = await api.request('POST', '/v1/auth/roles', { token, body: { name: 'scribe' } });
  const key = await api.request('POST', '/v1/auth/api-keys', {
    token,
    body: { name: SECRET, scope: [{ resource: 'source:*', action: 'read' }] },
  });
  expect(key.status).toBe(201);
  const me = await api.request('GET', '/v1/auth/me', { token });
  return new Map([
    [/^\/v1\/sources\//, String(source.body.id)],
    [/^\/v1\/memories\//, String(memory.body.id)],
    [/^\/v1\/auth\/roles\//, String(role.body.id)],
    [/^\/v1\/auth\/api-keys\//, String(key.body.id)],
    [/^\/v1\/auth\/users\//, String(me.body.userId ?? me.body.id)],
  ]);
}

function fill(path: string, id: string): string {
  return path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(id));
}

function idOfAlice(path: string): string {
  for (const [pattern, id] of idsOfAlice) if (pattern.test(path)) return id;
  return newId();
}

function expectRefusal(operation: Operation, what: string, answer: TestAnswer): void {
  const context = `${operation.method} ${operation.path}, ${what}: ${answer.status} ${JSON.stringify(answer.body)}`;
  expect([context, answer.status >= 400 && answer.status < 500]).toEqual([context, true]);
  expect([context, answer.headers.get('content-type')?.split(';')[0]]).toEqual([
    context,
    'application/problem+json',
  ]);
  expect([context, answer.body.code]).toEqual([context, expect.stringMatching(/^[A-Z][A-Z_]+$/)]);
  expect([context, answer.body.requestId]).toEqual([context, answer.headers.get('x-request-id')]);
  expectNoLeak(context, answer);
}

/** No other tenant's data, no SQL, no stack, no path of a file. */
function expectNoLeak(context: string, answer: TestAnswer): void {
  const text = JSON.stringify(answer.body ?? '');
  expect([context, text.match(/alice-keeps|node_modules|\bSELECT\b|\bINSERT\b|\n\s+at /)]).toEqual([
    context,
    null,
  ]);
}

function send(operation: Operation, id: string, request: Parameters<TestApi['request']>[2] = {}) {
  const needsBody = operation.body !== undefined && request.body === undefined;
  return api.request(operation.method, fill(operation.path, id), {
    ...request,
    ...(needsBody ? { body: plausible(operation.body ?? {}) } : {}),
  });
}

/** A body that has every required property and the right types, nothing more. */
function plausible(schema: InputSchema): unknown {
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, plausible(schema.properties?.[name] ?? {})]),
      );
    case 'array':
      return [plausible(schema.items ?? {})];
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    default:
      return 'diary';
  }
}

/** Bodies that no schema of ours can accept, each with what is wrong. */
function hostileBodies(schema: InputSchema): [string, unknown][] {
  const whole: [string, unknown][] = [
    ['an array', []],
    ['a number', 42],
    ['null', null],
    ['a text', '"text"'],
  ];
  const properties = Object.entries(schema.properties ?? {}).filter(([, { type }]) => type);
  const wrongTypes = properties.map(([name, { type }]): [string, unknown] => [
    `${name} of the wrong type`,
    {
      ...(plausible(schema) as object),
      [name]: type === 'object' ? 'text' : { nested: { nested: true } },
    },
  ]);
  return [...whole, ...wrongTypes];
}

function jwt(header: object, payload: object, sign: (input: string) => string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign(input)}`;
}

function forgeries(): [string, string][] {
  const [head = '', body = '', signature = ''] = alice.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid?: string };
  const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const hmac = (input: string) => createHmac('sha256', 'guess').update(input).digest('base64url');
  const expired = { ...payload, iat: nowSeconds - 7200, exp: nowSeconds - 3600 };
  return [
    ['no token at all', 'x'],
    ['no algorithm', jwt({ ...header, alg: 'none' }, payload, () => '')],
    ['another key', jwt({ ...header, alg: 'HS256' }, payload, hmac)],
    ['another key and expired', jwt({ ...header, alg: 'HS256' }, expired, hmac)],
    ['an unknown key id', jwt({ ...header, kid: newId() }, payload, hmac)],
    [
      'a changed payload',
      `${head}.${Buffer.from(JSON.stringify({ ...payload, sub: newId() })).toString('base64url')}.${signature}`,
    ],
    ['a cut signature', `${head}.${body}.${signature.slice(0, -4)}`],
  ];
}

describe('every route', () => {
  it('is described, so that the tests below reach it', () => {
    const paths = operations.map(({ method, path }) => `${method} ${path}`);
    expect(paths.length).toBeGreaterThan(30);
    expect(paths).toEqual(
      expect.arrayContaining([
        'POST /v1/auth/login',
        'POST /v1/sources/{id}/entries/bulk',
        'POST /v1/contexts/compile',
        'GET /v1/jobs',
      ]),
    );
  });

  it('refuses a request without a token, unless it is public', async () => {
    for (const operation of operations.filter(({ secured }) => secured)) {
      const answer = await send(operation, newId());
      expectRefusal(operation, 'no token', answer);
      expect([operation.path, answer.status]).toEqual([operation.path, 401]);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it(
    'refuses forged tokens',
    async () => {
      for (const [what, token] of forgeries()) {
        for (const operation of operations.filter(({ secured }) => secured)) {
          const answer = await send(operation, newId(), { token });
          expectRefusal(operation, what, answer);
          expect([what, operation.path, answer.status]).toEqual([what, operation.path, 401]);
        }
      }
    },
    MANY_REQUESTS_MS,
  );

  it('refuses malformed JSON and bodies that are too large', async () => {
    for (const operation of operations.filter(({ body }) => body !== undefined)) {
      const headers = { 'content-type': 'application/json' };
      const malformed = await send(operation, newId(), {
        token: administrator,
        body: '{"a":',
        headers,
      });
      expectRefusal(operation, 'malformed JSON', malformed);
      const large = { text: 'x'.repeat(BODY_LIMIT_BYTES) };
      const oversized = await send(operation, newId(), { token: administrator, body: large });
      expectRefusal(operation, 'oversized', oversized);
      expect([operation.path, oversized.status]).toEqual([operation.path, 413]);
    }
  });

  it('refuses wrong types and names the path of each fault', async () => {
    for (const operation of operations) {
      if (operation.body === undefined) continue;
      for (const [what, body] of hostileBodies(operation.body)) {
        const request = { token: administrator, headers: { 'content-type': 'application/json' } };
        const answer = await send(operation, idOfAlice(operation.path), {
          ...request,
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        expectRefusal(operation, what, answer);
      }
    }
  });

  it('refuses queries of the wrong type', async () => {
    for (const operation of operations) {
      for (const { name, schema } of operation.queryParameters) {
        if (schema.type === 'string') continue;
        for (const value of ['%00', '-1e99', '[]']) {
          const path = `${fill(operation.path, idOfAlice(operation.path))}?${name}=${value}`;
          const answer = await api.request(operation.method, path, {
            token: alice,
            ...(operation.body === undefined ? {} : { body: plausible(operation.body) }),
          });
          expectRefusal(operation, `${name}=${value}`, answer);
        }
      }
    }
  });

  it('answers unknown and impossible ids with a refusal', async () => {
    const ids = [
      newId(),
      'no-such-thing',
      '../../etc/passwd',
      "' OR 1=1 --",
      '\u0000',
      'x'.repeat(300),
    ];
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      for (const id of ids) {
        const answer = await send(operation, id, { token: administrator });
        expectRefusal(operation, `id ${id.slice(0, 20)}`, answer);
      }
    }
  });

  it("never shows or changes what is another user's", async () => {
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      const answer = await send(operation, idOfAlice(operation.path), { token: bob });
      expectRefusal(operation, "another user's id", answer);
    }
    for (const operation of operations.filter(({ path }) => !path.includes('{'))) {
      const answer = await send(operation, '', { token: bob });
      expectNoLeak(`${operation.method} ${operation.path}`, answer);
      expect([operation.path, answer.status < 500]).toEqual([operation.path, true]);
    }
    const entries = await api.request('GET', '/v1/sources/diary/entries', { token: alice });
    expect(entries.body.items).toHaveLength(1);
  });
});

describe('an access token', () => {
  it('is refused by every route once it has expired', async () => {
    const token = await api.login();
    api.clock.advance(24 * 3_600_000);
    for (const operation of operations.filter(({ secured }) => secured)) {
      const answer = await send(operation, newId(), { token });
      expectRefusal(operation, 'expired', answer);
      expect([operation.path, answer.body.code]).toEqual([operation.path, 'AUTH_TOKEN_EXPIRED']);
    }
  });
});
