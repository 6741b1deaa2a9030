import { PoolController } from './pool.controller.js';
import { QueriesController } from './queries.controller.js';

/** The controllers of this lib, for the app to mount. */
export const persistenceControllers = [PoolController, QueriesController];
