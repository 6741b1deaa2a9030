import type { Type } from '@nestjs/common';
import { AdmissionController } from './admission.controller.js';
import { BreakersController } from './breakers.controller.js';
import { MemoryController } from './memory.controller.js';
import { RateLimitsController } from './rate-limits.controller.js';

/** The controllers of this lib, for the app to mount. */
export const resilienceControllers: Type[] = [
  AdmissionController,
  BreakersController,
  MemoryController,
  RateLimitsController,
];
