import type { Type } from '@nestjs/common';

/** The controllers of this lib, for the app to mount. */
export const cacheControllers: Type[] = [];
