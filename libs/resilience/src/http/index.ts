import type { Type } from '@nestjs/common';
import { BreakersController } from './breakers.controller.js';
import { MemoryController } from './memory.controller.js';

/** The controllers of this lib, for the app to mount. */
export const resilienceControllers: Type[] = [BreakersController, MemoryController];
