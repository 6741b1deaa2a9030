import { afterAll, beforeAll, expect } from '@jest/globals';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

export const PASSWORD = 'a long enough password';

/** An API for the tests of a file, and people who register and log in. */
export interface AccountsHarness {
  readonly api: TestApi;
  /** Sends a request to a route under `/v1/auth/`. */
  readonly post: (path: string, body?: unknown, token?: string) => Promise<TestAnswer>;
  readonly me: (token?: string) => Promise<TestAnswer>;
  /** Registers somebody new. */
  readonly newUser: () => Promise<{ email: string; password: string }>;
  /** Registers somebody new and logs them in. */
  readonly newSession: () => Promise<{ accessToken: string; refreshToken: string }>;
}

/** Registers what starts and stops the API of a file. */
export function accountsHarness(): AccountsHarness {
  let api: TestApi;
  let users = 0;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  function post(path: string, body?: unknown, token?: string): Promise<TestAnswer> {
    return api.request('POST', `/v1/auth/${path}`, {
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    });
  }

  async function newUser(): Promise<{ email: string; password: string }> {
    users += 1;
    const credentials = { email: `somebody-${users}@example.com`, password: PASSWORD };
    expect((await post('register', credentials)).status).toBe(201);
    return credentials;
  }

  return {
    get api() {
      return api;
    },
    post,
    me: (token) => api.request('GET', '/v1/auth/me', token === undefined ? {} : { token }),
    newUser,
    async newSession() {
      const answer = await post('login', await newUser());
      expect(answer.status).toBe(200);
      return answer.body;
    },
  };
}
