import { SystemClock } from '#libs/core';
import { CallbackChangeAudit, IndexChanger, openPgSession } from '#libs/index-advisor';
import { CHANGE } from './change-fixtures.js';

/** Builds the index of the tests and prints the steps. */
const [url = ''] = process.argv.slice(2);
const changer = new IndexChanger({
  openSession: () => openPgSession(url),
  audit: new CallbackChangeAudit(({ step }) => process.stdout.write(`${step}\n`)),
  clock: new SystemClock(),
  limits: { watchEveryMs: 50 },
});
await changer.build(CHANGE);
