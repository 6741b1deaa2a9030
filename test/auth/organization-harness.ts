import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

export const PASSWORD = 'a long enough password';

export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

/** An API for the tests of a file, and for each of them a fresh organization. */
export interface OrganizationHarness {
  readonly api: TestApi;
  /** Of the organization; its owner is `owner-<number>@example.com`. */
  readonly number: number;
  /** Access token of the owner. */
  readonly owner: string;
  /** Sends a request to a route under `/v1/auth/`. */
  readonly call: (
    method: string,
    path: string,
    token: string,
    body?: unknown,
  ) => Promise<TestAnswer>;
  /** Makes a user with these roles and logs them in; by default the owner does. */
  readonly createUser: (roles: readonly string[], by?: string) => Promise<NewUser>;
  /** Makes a role of grants as texts (see `grant`), and returns its id. */
  readonly createRole: (name: string, grants: readonly string[], by?: string) => Promise<string>;
  /** What the API says of somebody's permission. */
  readonly may: (token: string, resource: string, action: string) => Promise<boolean>;
}

/** Registers what starts and stops the API of a file. */
export function organizationHarness(): OrganizationHarness {
  let api: TestApi;
  let number = 0;
  let owner: string;
  let emails = 0;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    number += 1;
    owner = await api.register(`owner-${number}@example.com`);
  });

  function call(method: string, path: string, token: string, body?: unknown): Promise<TestAnswer> {
    return api.request(method, `/v1/auth/${path}`, {
      token,
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
    call,
    async createUser(roles, by = owner) {
      emails += 1;
      const email = `user-${emails}@example.com`;
      const created = await call('POST', 'users', by, { email, password: PASSWORD, roles });
      expect(created).toMatchObject({ status: 201 });
      return { id: created.body.id, email, token: await api.login({ email, password: PASSWORD }) };
    },
    async createRole(name, grants, by = owner) {
      const created = await call('POST', 'roles', by, {
        name,
        grants: grants.map((text) => grant(text)),
      });
      expect(created).toMatchObject({ status: 201 });
      return created.body.id;
    },
    async may(token, resource, action) {
      const answer = await call('POST', 'check', token, { resource, action });
      expect(answer.status).toBe(200);
      return answer.body.allowed;
    },
  };
}

/** `allow source:* read`, as the API takes it. */
export function grant(text: string): { effect: string; resource: string; action: string } {
  const [effect = '', resource = '', action = ''] = text.split(' ');
  return { effect, resource, action };
}
