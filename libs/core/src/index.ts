export { PantheonError, isError, messageOf } from './pantheon.error.js';
export type { ErrorKind, Fault, PantheonErrorOptions } from './pantheon.error.js';
export { Clock, ManualClock, SystemClock } from './clock.js';
export { isUuid, newId } from './ids.js';
export { AccessControl } from './access.js';
export type { PermissionGrant, Principal } from './access.js';
export { eventChannel } from './event-channel.js';
export type { EventChannel } from './event-channel.js';
export { BackgroundTasks } from './background-tasks.js';
