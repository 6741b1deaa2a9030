import { isatty } from 'node:tty';
import type { SettingsStore } from '#libs/config';
import { BufferedLogDestination } from './buffered.destination.js';
import type { LogDestination } from './log-destination.js';
import { loggingSettings } from './logging.settings.js';
import { PrettyLogDestination } from './pretty.destination.js';
import { RootLogger } from './root-logger.js';

export interface CreateRootLoggerOptions {
  /** Which program writes: `api`, `worker`, `cli`. */
  readonly service: string;
  /** File descriptor of the log. Default: 1, the standard output. */
  readonly fd?: number;
}

/**
 * Makes the log of a program as its settings say, and follows the live ones. One per process;
 * `installProcessGuards` sees to it that no line is lost at the end.
 */
export function createRootLogger(
  store: SettingsStore,
  { service, fd = 1 }: CreateRootLoggerOptions,
): RootLogger {
  const settings = store.get(loggingSettings);
  const buffered = new BufferedLogDestination({ fd, ...settings });
  const pretty = settings.format === 'pretty' || (settings.format === 'auto' && isatty(fd));
  const destination: LogDestination = pretty
    ? new PrettyLogDestination(buffered, isatty(fd))
    : buffered;
  const root = new RootLogger({ service, destination, ...settings });
  const unfollow = store.onChange((changes) => {
    const { levels, redactKeys } = store.get(loggingSettings);
    if (changes.some(({ path }) => path === 'logging.levels')) root.setLevels(levels);
    if (changes.some(({ path }) => path === 'logging.redactKeys')) root.setRedactKeys(redactKeys);
  });
  root.onClose(unfollow);
  buffered.onRoomAgain((lines) => {
    root
      .module('logging')
      .warn('Lines of the log were dropped: its reader was too slow', { lines });
  });
  return root;
}
