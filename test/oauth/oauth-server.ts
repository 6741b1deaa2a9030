import { afterAll, beforeAll, expect } from '@jest/globals';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';
import { ISSUER, makeClient, type MadeClient } from './oauth-harness.js';

/** An authorization server for the tests of a file. */
export interface OAuthServer {
  readonly api: TestApi;
  /** Access token of the administrator. */
  readonly administrator: string;
  /** A public client, with a name that no page must take for markup. */
  readonly app: MadeClient;
  /** A confidential client. */
  readonly service: MadeClient;
  /** What the API says of who has a token. */
  readonly me: (token: string) => Promise<TestAnswer>;
}

/** Registers what starts and stops the API of a file. */
export function oauthServer(): OAuthServer {
  let api: TestApi;
  let administrator: string;
  let app: MadeClient;
  let service: MadeClient;

  beforeAll(async () => {
    api = await startTestApi({ PANTHEON_AUTH_ISSUER: ISSUER });
    administrator = await api.login();
    app = await makeClient(api, administrator, {
      name: '<script>alert(1)</script> "App"',
      type: 'public',
      grantTypes: ['authorization_code', 'refresh_token'],
    });
    service = await makeClient(api, administrator);
  });
  afterAll(() => api.close());

  return {
    get api() {
      return api;
    },
    get administrator() {
      return administrator;
    },
    get app() {
      return app;
    },
    get service() {
      return service;
    },
    me: (token) => api.request('GET', '/v1/auth/me', { token }),
  };
}

/** A refusal as RFC 6749, section 5.2 has it. */
export function expectRefused(answer: { status: number; body: unknown }, error: string): void {
  const status = error === 'invalid_client' ? 401 : 400;
  expect(answer).toMatchObject({ status, body: { error } });
}
