import { isError, PantheonError } from '#libs/core';
import { openPlatform } from '../../shared/src/platform.js';
import { shutDownOnSignals } from '../../shared/src/shutdown.js';
import { httpSettings } from '../../shared/src/http.settings.js';
import { createApi } from './create-api.js';
import { PortTakenError } from './errors/port-taken.error.js';

/** Starts the API of this process; on failure says why in words and sets the exit code. */
export async function startApi(): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`Pantheon did not start: ${explain(error)}\n`);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const platform = await openPlatform({
    service: 'api',
    embedded: 'own',
    onNotice: (sentence) => process.stdout.write(`${sentence}\n`),
  });
  const { host, port, shutdownTimeoutMs } = platform.store.get(httpSettings);
  const app = await createApi(platform);
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    await platform.close();
    throw PortTakenError.from(error, port) ?? error;
  }
  shutDownOnSignals(
    shutdownTimeoutMs,
    async () => {
      await app.close();
      await platform.close();
    },
    (message, err) => platform.log.module('process').error(message, { err }),
  );
  process.stdout.write(`${await app.getUrl()}\n`);
}

function explain(error: unknown): string {
  if (error instanceof PantheonError) return `${error.message} [${error.code}]`;
  return isError(error) ? (error.stack ?? error.message) : String(error);
}
