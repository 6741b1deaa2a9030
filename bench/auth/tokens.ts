import { Authenticator, type CredentialSource, PrincipalLoader } from '#libs/auth';
import { SettingsStore } from '#libs/config';
import { type BenchApi, openBenchApi } from '../support/bench-api.js';
import { costPerAsyncCall, nsPerCall } from '../support/ns-per-call.js';

const SESSIONS = 32;
const CALLS = 256;
const ADMINISTRATOR = { email: 'admin@bench.example', password: 'correct horse battery staple' };

/** A row of the table of tokens. */
export interface TokenCost {
  readonly step: string;
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** From the header of a request to the principal behind it, in a process with a real database. */
export async function tokenCosts(): Promise<TokenCost[]> {
  const api = await openBenchApi({
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
  });
  try {
    return await measure(api);
  } finally {
    await api.close();
  }
}

/** What a request that has a token of its own on a connection of its own finds in memory. */
export const CACHED_STEP = 'token to principal, cached';

async function measure(api: BenchApi): Promise<TokenCost[]> {
  const headers: string[] = [];
  for (let session = 0; session < SESSIONS; session += 1) headers.push(await logIn(api));
  const authenticator = api.app.get(Authenticator);
  const loader = api.app.get(PrincipalLoader);
  const settings = api.app.get(SettingsStore);
  const sources: CredentialSource[] = headers.map((authorization) => ({
    headers: { authorization },
  }));
  const onConnections = sources.map((source) => ({ ...source, socket: {} }));
  const at = (number: number, among = sources) => among[number % SESSIONS] ?? { headers: {} };
  const authenticate = (number: number) => authenticator.authenticate(at(number));
  for (let session = 0; session < SESSIONS; session += 1) await authenticate(session);
  const { principal, credential } = await authenticate(0);
  const now = new Date();

  const cached = (source: CredentialSource): void => {
    const known = authenticator.authenticateFromMemory(source);
    if (known === undefined) throw new Error('A principal was not in memory.');
  };
  const inMemory = (step: string, ns: number): TokenCost => ({
    step,
    cpuUs: ns / 1000,
    wallUs: ns / 1000,
  });
  const rows = [
    inMemory(
      'the same token as before on its connection',
      nsPerCall((number) => cached(at(number, onConnections))),
    ),
    inMemory(
      CACHED_STEP,
      nsPerCall((number) => cached(at(number))),
    ),
  ];
  const withKey = { headers: { 'x-api-key': await makeApiKey(api, headers[0] ?? '') } };
  await authenticator.authenticate(withKey);
  rows.push(
    inMemory(
      'API key to principal, cached',
      nsPerCall(() => cached(withKey)),
    ),
  );
  settings.overrideAll({ 'auth.verifiedTokenCacheEntries': 0 });
  // The next token that is verified makes the others leave.
  await authenticator.authenticate({ headers: { authorization: await logIn(api) } });
  rows.push({
    step: 'signature verified, principal cached',
    ...(await costPerAsyncCall(authenticate, CALLS)),
  });
  rows.push({
    step: 'principal from the database, one query',
    ...(await costPerAsyncCall(
      () => loader.ofSession(principal.userId, credential.id, now),
      CALLS,
    )),
  });
  settings.overrideAll({ 'auth.principalCacheTtlSeconds': 0 });
  rows.push({ step: 'nothing cached', ...(await costPerAsyncCall(authenticate, CALLS)) });
  rows.push({
    step: 'API key, nothing cached',
    ...(await costPerAsyncCall(() => authenticator.authenticate(withKey), CALLS)),
  });
  return rows;
}

async function logIn(api: BenchApi): Promise<string> {
  const { text } = await api.send('POST', '/v1/auth/login', undefined, ADMINISTRATOR);
  return `Bearer ${String((JSON.parse(text) as { accessToken?: unknown }).accessToken)}`;
}

async function makeApiKey(api: BenchApi, authorization: string): Promise<string> {
  const token = authorization.replace('Bearer ', '');
  const body = { name: 'bench', scope: [{ resource: 'source:*', action: 'read' }] };
  const { text } = await api.send('POST', '/v1/auth/api-keys', token, body);
  return String((JSON.parse(text) as { key?: unknown }).key);
}
