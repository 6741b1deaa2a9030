import { type FailedRequest, requestFailed } from '../logging.channels.js';
import type { RootLogger } from '../root-logger.js';
import { HTTP_LOG_MODULE } from './access-log.js';

/**
 * Logs why a request failed, and publishes that it did: with the stack at level error when it is our fault (5xx), without
 * at level debug when it is the caller's.
 */
export function logRequestError(root: RootLogger, error: unknown, answer: FailedRequest): void {
  const logger = root.module(HTTP_LOG_MODULE);
  const { status, code, detail, requestId } = answer;
  requestFailed.publish(() => ({ status, code, detail, requestId }));
  if (status >= 500) logger.error('request failed', { requestId, status, code, err: error });
  else logger.debug('request refused', { requestId, status, code });
}
