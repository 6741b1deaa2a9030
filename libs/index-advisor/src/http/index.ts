import { IndexesController } from './indexes.controller.js';
import { OptimizeController } from './optimize.controller.js';
import { SchemaController } from './schema.controller.js';

/** The controllers of this lib, for the app to mount. */
export const indexAdvisorControllers = [IndexesController, OptimizeController, SchemaController];
