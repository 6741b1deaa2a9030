import { expect } from '@jest/globals';
import type { TestAnswer, TestApi } from '../support/app.js';

/** Values as the lines of a bulk body. */
export function ndjson(rows: readonly unknown[]): string {
  return rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');
}

/** What a test file does over and over, as one user. */
export interface ContextClient {
  readonly token: string;
  get(path: string): Promise<TestAnswer>;
  post(
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<TestAnswer>;
  send(method: string, path: string, body?: unknown): Promise<TestAnswer>;
  /** Makes a source and returns its id. */
  makeSource(name: string, more?: object): Promise<string>;
  addEntry(source: string, entry: object): Promise<string>;
  bulk(source: string, rows: readonly unknown[], query?: string): Promise<TestAnswer>;
  /** Makes a source with entries that are indexed when this resolves. */
  fill(name: string, rows: readonly object[]): Promise<void>;
  compile(body: object): Promise<TestAnswer>;
}

export function contextClient(api: TestApi, token: string): ContextClient {
  const client: ContextClient = {
    token,
    get: (path) => api.request('GET', path, { token }),
    post: (path, body, headers) =>
      api.request('POST', path, {
        token,
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      }),
    send: (method, path, body) =>
      api.request(method, path, { token, ...(body === undefined ? {} : { body }) }),
    async makeSource(name, more = {}) {
      const answer = await client.post('/v1/sources', { name, kind: 'document', ...more });
      expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ name })]);
      return String(answer.body.id);
    },
    async addEntry(source, entry) {
      const answer = await client.post(`/v1/sources/${source}/entries`, entry);
      expect([answer.status, answer.body]).toEqual([201, { id: expect.any(String) }]);
      return String(answer.body.id);
    },
    bulk: (source, rows, query = '') =>
      client.post(`/v1/sources/${source}/entries/bulk${query}`, ndjson(rows), {
        'content-type': 'application/x-ndjson',
      }),
    async fill(name, rows) {
      await client.makeSource(name);
      const answer = await client.bulk(name, rows);
      expect(answer.body).toMatchObject({ inserted: rows.length, rejectedCount: 0 });
      const repaired = await client.post(`/v1/sources/${name}/consistency/repair`);
      expect(repaired.status).toBe(200);
      const { body } = await client.get(`/v1/sources/${name}/consistency`);
      expect(body).toMatchObject({ total: rows.length, written: rows.length });
    },
    compile: (body) => client.post('/v1/contexts/compile', body),
  };
  return client;
}

/** A time in 2026, so many minutes after its start. */
export function minute(minutes: number): string {
  return new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString();
}
