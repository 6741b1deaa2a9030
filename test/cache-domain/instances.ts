import { startTestApi, type TestApi } from '../support/app.js';

/** How the processes of a test hear of each other. */
export const BACKPLANES = ['PostgreSQL', 'Redis'] as const;
export type BackplaneName = (typeof BACKPLANES)[number];

/** Two instances of the API over one database, as two processes would be. */
export interface Instances {
  readonly a: TestApi;
  readonly b: TestApi;
  close(): Promise<void>;
}

export async function startInstances(
  backplane: BackplaneName,
  redisUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Instances> {
  const own = { ...(backplane === 'Redis' ? { REDIS_URL: redisUrl } : {}), ...environment };
  const a = await startTestApi(own);
  const b = await startTestApi({ ...own, DATABASE_URL: a.platform.databaseUrl });
  return {
    a,
    b,
    async close() {
      // The second one leaves the database to the first, which drops it.
      await b.close();
      await a.close();
    },
  };
}
