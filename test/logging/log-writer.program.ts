import { SettingsStore } from '#libs/config';
import { createRootLogger, installProcessGuards, loggingSettings } from '#libs/logging';

/**
 * Writes numbered lines to the standard output and then ends in the way that it is told:
 * `natural`, `exit`, `uncaught`, `unhandled`, or `wait` for a signal.
 */
const [ending = 'natural', count = '1000', bytes = '200', timeoutMs = '3000'] =
  process.argv.slice(2);
const store = new SettingsStore([loggingSettings], {
  overrides: { logging: { format: 'json', exitFlushTimeoutMs: Number(timeoutMs) } },
});
const root = createRootLogger(store, { service: 'test' });
installProcessGuards(root, { signals: true });
const logger = root.module('test');

process.on('message', () => undefined);
process.send?.('started');
const filler = 'x'.repeat(Number(bytes));
for (let number = 1; number <= Number(count); number += 1) logger.info('line', { number, filler });
process.send?.('written');

switch (ending) {
  case 'exit':
    process.exit(0);
  // eslint-disable-next-line no-fallthrough -- the process has ended
  case 'uncaught':
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
    break;
  case 'unhandled':
    void Promise.reject(new Error('nobody handles this'));
    break;
  case 'wait':
    setInterval(() => undefined, 1_000);
    break;
  default:
    process.disconnect?.();
}
