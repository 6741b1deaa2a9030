import { hash } from 'node:crypto';
import type { TestApi } from '../support/app.js';

/** The origin by which the tests' authorization server says that it is reached. */
export const ISSUER = 'https://id.test.example';
export const REDIRECT_URI = 'https://app.test.example/callback';
/** For `code_verifier`, where a test needs a certain one. */
export const VERIFIER = 'a-verifier-of-the-tests-that-is-long-enough-0';
export const CHALLENGE = hash('sha256', VERIFIER, 'base64url');

/** A client as the management routes answer it. */
export interface MadeClient {
  readonly id: string;
  readonly secret: string | null;
  readonly serviceUserId: string | null;
}

export interface Person {
  readonly email: string;
  readonly password: string;
}

/** What the browser of a person meets. */
export interface Visit {
  readonly status: number;
  readonly location: URL | undefined;
  readonly body: string;
  readonly headers: Headers;
}

/** Makes a client with a token that may; confidential, for people and services, unless said otherwise. */
export async function makeClient(
  api: TestApi,
  token: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<MadeClient> {
  const answer = await api.request('POST', '/v1/auth/clients', {
    token,
    body: {
      name: 'Reader',
      type: 'confidential',
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirectUris: [REDIRECT_URI],
      scopes: ['source:*:read', 'source:read', 'context:compile'],
      roles: ['member'],
      ...fields,
    },
  });
  if (answer.status !== 201) throw new Error(`no client: ${JSON.stringify(answer.body)}`);
  return answer.body as MadeClient;
}

/** A form that a client sends. */
export async function postForm(
  api: TestApi,
  path: string,
  fields: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
) {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  return api.request('POST', path, {
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}

export function basic({ id, secret }: MadeClient): Readonly<Record<string, string>> {
  const text = Buffer.from(`${id}:${secret ?? ''}`).toString('base64');
  return { authorization: `Basic ${text}` };
}

/** A browser without scripts: follows no redirect, keeps cookies, fills in the form of a page. */
export class Browser {
  private cookie: string | undefined;

  constructor(private readonly api: TestApi) {}

  async open(parameters: Readonly<Record<string, string | undefined>>): Promise<Visit> {
    const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(given as [string, string][]);
    return this.fetch(`/oauth/authorize?${query.toString()}`, {});
  }

  /** Opens an address of the authorization server. */
  async openUrl(url: URL): Promise<Visit> {
    return this.fetch(url.href.replace(ISSUER, ''), {});
  }

  /** Sends the form of a page with changes; undefined leaves a field out. */
  async submit(
    page: Visit,
    changes: Readonly<Record<string, string | undefined>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Visit> {
    const fields = new Map([...hiddenFields(page.body), ...Object.entries(changes)]);
    const given = [...fields].filter(([, value]) => value !== undefined) as [string, string][];
    return this.fetch('/oauth/authorize', {
      method: 'POST',
      body: new URLSearchParams(given).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  allow(page: Visit, person: Person): Promise<Visit> {
    return this.submit(page, { ...person, decision: 'allow' });
  }

  forgetCookies(): void {
    this.cookie = undefined;
  }

  private async fetch(path: string, init: RequestInit): Promise<Visit> {
    const cookie: Record<string, string> = this.cookie === undefined ? {} : { cookie: this.cookie };
    const response = await fetch(this.api.url + path, {
      ...init,
      redirect: 'manual',
      headers: { ...cookie, ...(init.headers as Record<string, string> | undefined) },
    });
    const set = response.headers.get('set-cookie');
    if (set !== null) this.cookie = set.split(';')[0];
    const location = response.headers.get('location');
    return {
      status: response.status,
      location: location === null ? undefined : new URL(location),
      body: await response.text(),
      headers: response.headers,
    };
  }
}

/** The usual parameters of an authorization request. */
export function authorizationRequest(
  client: MadeClient,
  changes: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string | undefined>> {
  return {
    response_type: 'code',
    client_id: client.id,
    redirect_uri: REDIRECT_URI,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  };
}

/** Has a person allow a client, and returns the code that comes back. */
export async function obtainCode(
  api: TestApi,
  client: MadeClient,
  person: Person,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const browser = new Browser(api);
  const page = await browser.open(authorizationRequest(client, changes));
  const { location, body } = await browser.allow(page, person);
  const code = location?.searchParams.get('code');
  if (code === undefined || code === null) throw new Error(`no code: ${location?.href} ${body}`);
  return code;
}

export function exchange(
  api: TestApi,
  client: MadeClient,
  code: string,
  changes: Readonly<Record<string, string>> = {},
) {
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    ...changes,
  };
  return client.secret === null
    ? postForm(api, '/oauth/token', { client_id: client.id, ...fields })
    : postForm(api, '/oauth/token', fields, basic(client));
}

function hiddenFields(body: string): [string, string][] {
  return [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)" ?\/?>/g)].map(
    ([, name = '', value = '']) => [name, unescaped(value)],
  );
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
