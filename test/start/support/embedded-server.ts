import { EmbeddedPostgres } from '../../../libs/persistence/src/embedded/embedded-postgres.js';
import type { EmbeddedPostgresOptions } from '../../../libs/persistence/src/embedded/embedded-postgres.options.js';
import { messageOf, PantheonError } from '#libs/core';

/**
 * A process of its own that runs an embedded PostgreSQL, for tests that kill it or run it as
 * another user. Takes the options as JSON; prints one line of JSON for each thing that happens;
 * a line `stop` or `exit` on its input ends it in order or at once.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedPostgresOptions & {
  readonly attach?: boolean;
};
const print = (event: object): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};
const onNotice = (notice: string): void => print({ notice });

try {
  const postgres = options.attach
    ? await EmbeddedPostgres.attachOrStart({ ...options, onNotice })
    : await EmbeddedPostgres.start({ ...options, onNotice });
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    if (text.startsWith('exit')) process.exit(0);
    if (text.startsWith('stop')) void postgres.stop().then(() => process.exit(0));
  });
  print({ url: postgres.url, pid: postgres instanceof EmbeddedPostgres ? postgres.pid : null });
} catch (error) {
  print({ code: error instanceof PantheonError ? error.code : null, message: messageOf(error) });
  process.exit(1);
}
