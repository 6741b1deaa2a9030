import { databaseParts } from '../../apps/shared/src/database-parts.js';
import { type BenchDatabase, openBenchDatabase } from '../support/bench-database.js';
import { API_PROGRAM, type RunningProgram, startProgram } from '../support/program.js';

/**
 * Thousands of people log in from one address here, and nobody is to be kept out for that. All other
 * limits stay as they are.
 */
const SETTINGS = {
  NODE_ENV: 'production',
  PANTHEON_RATE_LIMIT_ROUTES: JSON.stringify({
    'POST /v1/auth/login': [],
    'POST /v1/auth/register': [],
    'POST /v1/auth/refresh': [],
  }),
  PANTHEON_LOGGING_LEVEL: 'warn',
  PANTHEON_ADMIN_EMAIL: 'admin@bench.example',
  PANTHEON_ADMIN_PASSWORD: 'correct horse battery staple',
} as const;

export const ADMINISTRATOR = {
  email: SETTINGS.PANTHEON_ADMIN_EMAIL,
  password: SETTINGS.PANTHEON_ADMIN_PASSWORD,
} as const;

/** What stands in the output of a benchmark about the settings that it changes. */
export const SETTINGS_NOTE =
  'Settings: defaults, but that logging in, registering and refreshing have no rate limit, because everybody comes from one address.';

/** The built API as a process of its own, over a database of its own. */
export interface LoadApi extends RunningProgram {
  readonly port: number;
  readonly database: BenchDatabase;
  close(): Promise<void>;
}

/** Starts it, with these arguments of Node and variables over the defaults. */
export async function startLoadApi(
  nodeArguments: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<LoadApi> {
  const database = await openBenchDatabase(databaseParts);
  const [node, file] = API_PROGRAM;
  try {
    const program = await startProgram([node, ...nodeArguments, file], {
      ...SETTINGS,
      DATABASE_URL: database.url,
      ...environment,
    });
    return {
      ...program,
      port: Number(new URL(program.url).port),
      database,
      async close() {
        await program.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
