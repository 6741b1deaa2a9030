import type { Type } from '@nestjs/common';
import { MemoryController } from './memory.controller.js';

/** The controllers of this lib, for the app to mount. */
export const resilienceControllers: Type[] = [MemoryController];
