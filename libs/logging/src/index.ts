export { createRootLogger } from './create-root-logger.js';
export type { CreateRootLoggerOptions } from './create-root-logger.js';
export { RootLogger } from './root-logger.js';
export type { RootLoggerOptions } from './root-logger.js';
export { ModuleLogger } from './module-logger.js';
export { LOG_LEVELS } from './log-level.js';
export type { LineLevel, LogLevel, LogLevels } from './log-level.js';
export { LogDestination, MemoryLogDestination } from './log-destination.js';
export { loggingSettings } from './logging.settings.js';
export type { LoggingSettings } from './logging.settings.js';
export { logLinesDropped, requestFailed } from './logging.channels.js';
export type { FailedRequest, LogLinesDropped } from './logging.channels.js';
export {
  captureContext,
  createContext,
  currentContext,
  restoreContext,
  runBeyondDeadline,
  runWithContext,
} from './request-context.js';
export type {
  ContextFields,
  RequestContext,
  StoredContext,
  TraceContext,
} from './request-context.js';
export { MASK, maskSecretsIn, SecretNames } from './secrets.js';
export { REQUEST_ID_HEADER, requestIdFrom } from './http/request-id.js';
export { contextOf, registerRequestContext, watchUnrouted } from './http/request-context.hooks.js';
export { finalStatusOf, onRequestEnd } from './http/request-end.js';
export type { RequestEndListener } from './http/request-end.js';
export { registerAccessLog } from './http/access-log.js';
export { logRequestError } from './http/request-errors.js';
export { installProcessGuards } from './process-guards.js';
export type { ProcessGuardOptions } from './process-guards.js';
export { NestLoggerService } from './nest-logger.service.js';
export { LoggingModule } from './logging.module.js';
