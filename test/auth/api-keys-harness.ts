import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

export const READ_SOURCES = [{ resource: 'source', action: 'read' }];

/** What `statusOf` says of a key. */
export const WORKS = [200, undefined];
export const REFUSED = [401, 'AUTH_API_KEY_INVALID'];

/** An API for the tests of a file, and for each of them a fresh organization whose owner makes keys. */
export interface ApiKeysHarness {
  readonly api: TestApi;
  /** Of the organization; its owner is `keys-<number>@example.com`. */
  readonly number: number;
  /** Access token of the owner. */
  readonly owner: string;
  /** Sends a request to a route of keys, by default the owner's. */
  readonly manage: (
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ) => Promise<TestAnswer>;
  /** Makes a key of the owner's, which may read sources unless said otherwise. */
  readonly createKey: (body?: object) => Promise<{ id: string; key: string }>;
  /** Sends a request with a key; by default lists the sources. */
  readonly withKey: (
    key: string,
    method?: string,
    path?: string,
    body?: unknown,
  ) => Promise<TestAnswer>;
  /** Status and code of such a request: `WORKS`, `REFUSED`. */
  readonly statusOf: (key: string) => Promise<[number, string | undefined]>;
}

/** Registers what starts and stops the API of a file. A user may have 5 keys. */
export function apiKeysHarness(): ApiKeysHarness {
  let api: TestApi;
  let number = 0;
  let owner: string;

  beforeAll(async () => {
    api = await startTestApi({ PANTHEON_API_KEYS_KEYS_PER_USER: '5' });
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    number += 1;
    owner = await api.register(`keys-${number}@example.com`);
  });

  function manage(method: string, path: string, body?: unknown, token = owner) {
    return api.request(method, `/v1/auth/api-keys${path}`, {
      token,
      ...(body === undefined ? {} : { body }),
    });
  }

  function withKey(key: string, method = 'GET', path = '/v1/sources', body?: unknown) {
    return api.request(method, path, {
      headers: { 'x-api-key': key },
      ...(body === undefined ? {} : { body }),
    });
  }

  return {
    get api() {
      return api;
    },
    get number() {
      return number;
    },
    get owner() {
      return owner;
    },
    manage,
    withKey,
    async createKey(body = {}) {
      const answer = await manage('POST', '', { name: 'robot', scope: READ_SOURCES, ...body });
      expect(answer).toMatchObject({ status: 201 });
      return answer.body;
    },
    async statusOf(key) {
      const { status, body } = await withKey(key);
      return [status, body?.code];
    },
  };
}
