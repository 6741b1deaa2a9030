import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startTestApi, type TestApi } from './support/app.js';

/** Routes that are pages and their files, or belong to the job board's own interface. */
const NOT_DOCUMENTED = /^\/(docs|dashboard)(\/|$)|^\/v1\/jobs\/board\b/;

let api: TestApi;
let document: OpenAPIObject;

beforeAll(async () => {
  api = await startTestApi();
  document = (await api.request('GET', '/docs/openapi.json')).body as OpenAPIObject;
});

afterAll(() => api.close());

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap(
      (method): [string, Operation][] => {
        const operation = item[method];
        return operation === undefined ? [] : [[`${method.toUpperCase()} ${path}`, operation]];
      },
    ),
  );
}

/** Operations that make or change credentials and sessions, which no API key may. */
const NEEDS_SESSION =
  /\/v1\/auth\/(api-keys|sessions|password)\b|\/password-reset$|\/v1\/audit\/events\/own$|POST \/v1\/auth\/(clients|users$)|PATCH \/v1\/auth\/clients\b|DELETE \/v1\/auth\/users\/{id}\/sessions$|POST \/v1\/jobs\/board\/session/;

/** Method and path of everything that the server routes, read off its own routing table. */
function servedRoutes(): string[] {
  const table = api.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const parents: string[] = [];
  return table.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods] =
      /^([│├└─\s]*)(\S*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    const depth = indent.length / 4;
    parents.splice(depth - 1, parents.length, part);
    return (methods ?? '')
      .split(', ')
      .filter((method) => ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method))
      .map((method) => `${method} ${parents.join('')}`);
  });
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI', async () => {
    const result = await new Validator().validate({ ...document });
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('describes every route that is served', () => {
    const described = new Set(operations().map(([name]) => name.replaceAll(/\{([^}]+)\}/g, ':$1')));
    const served = servedRoutes().filter(
      (route) => !NOT_DOCUMENTED.test(route.split(' ')[1] ?? ''),
    );
    expect(served.length).toBeGreaterThan(10);
    expect(served.filter((route) => !described.has(route))).toEqual([]);
  });

  it('gives each operation a summary, a unique id, an answer and its problems', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, { summary, responses }] of operations()) {
      expect([name, summary]).toEqual([name, expect.stringMatching(/\w{3}/)]);
      const success = Object.keys(responses).find((status) => /^[23]/.test(status));
      const hasBody = JSON.stringify(responses[success ?? '']).includes('"schema"');
      expect([name, success, hasBody]).toEqual([
        name,
        success,
        !['204', '303'].includes(success ?? ''),
      ]);
      expect([name, JSON.stringify(responses['503'])]).toEqual([
        name,
        expect.stringContaining('#/components/schemas/'),
      ]);
    }
  });

  it('says which operations need a token, and what a bad one is answered with', () => {
    expect(document.components?.securitySchemes?.['bearer']).toMatchObject({
      type: 'http',
      scheme: 'bearer',
    });
    expect(document.components?.securitySchemes?.['apiKey']).toMatchObject({
      type: 'apiKey',
      in: 'header',
      name: 'X-API-Key',
    });
    for (const [name, { security, responses }] of operations()) {
      if (security === undefined) continue;
      const needsSession = NEEDS_SESSION.test(name);
      const either = needsSession ? [{ bearer: [] }] : [{ bearer: [] }, { apiKey: [] }];
      expect([name, security]).toEqual([name, expect.arrayContaining(either)]);
      expect([name, security.length]).toEqual([name, either.length]);
      expect([name, Object.keys(responses)]).toEqual([
        name,
        expect.arrayContaining(['401', '403']),
      ]);
    }
  });

  it('refers to nothing that it does not define', () => {
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
    const names = new Set([...references].map(([, name]) => name));
    expect(
      [...names].filter((name) => document.components?.schemas?.[name ?? ''] === undefined),
    ).toEqual([]);
  });
});
