import { SessionInsights } from '../../libs/auth/src/sessions/session-insights.js';
import { Sessions } from '../../libs/auth/src/sessions/sessions.js';
import { Authenticator } from '#libs/auth';
import { costPerAsyncCall } from '../support/ns-per-call.js';
import { openBenchApi } from '../support/bench-api.js';

const CALLS = 128;
const ADMINISTRATOR = { email: 'admin@bench.example', password: 'correct horse battery staple' };
const ORIGIN = { address: '192.0.2.7', userAgent: 'bench' };

/** What one operation on sessions costs, the database included. */
export interface SessionCost {
  readonly operation: string;
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** With some hundred sessions of the user at hand, which the time-outs learn from. */
export async function sessionCosts(): Promise<SessionCost[]> {
  const api = await openBenchApi({
    PANTHEON_ADMIN_EMAIL: ADMINISTRATOR.email,
    PANTHEON_ADMIN_PASSWORD: ADMINISTRATOR.password,
  });
  try {
    const sessions = api.app.get(Sessions);
    const insights = api.app.get(SessionInsights);
    const { text } = await api.send('POST', '/v1/auth/login', undefined, ADMINISTRATOR);
    const { accessToken } = JSON.parse(text) as { readonly accessToken: string };
    const { principal, credential } = await api.app
      .get(Authenticator)
      .authenticate({ headers: { authorization: `Bearer ${accessToken}` } });
    const { userId } = principal;
    let { refreshToken } = await sessions.open(userId, ORIGIN);
    const operations: Readonly<Record<string, () => Promise<unknown>>> = {
      open: () => sessions.open(userId, ORIGIN),
      'refresh, with a new time-out': async () => {
        ({ refreshToken } = await sessions.refresh(refreshToken, ORIGIN));
      },
      list: () => insights.list(userId, 100),
      analytics: () => insights.analyse(userId, credential.id),
      recommendations: () => insights.advise(userId, credential.id),
      renew: () => insights.renew(userId, credential.id),
      'list two, and end one of them everywhere': async () => {
        const ended = (await insights.list(userId, 2)).find(({ id }) => id !== credential.id);
        if (ended !== undefined) await sessions.end(ended.id);
      },
    };
    const rows: SessionCost[] = [];
    for (const [operation, run] of Object.entries(operations)) {
      rows.push({ operation, ...(await costPerAsyncCall(run, CALLS)) });
    }
    return rows;
  } finally {
    await api.close();
  }
}
