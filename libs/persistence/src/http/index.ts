import { PoolController } from './pool.controller.js';

/** The controllers of this lib, for the app to mount. */
export const persistenceControllers = [PoolController];
