import type { Provider } from '@nestjs/common';
import { ResponseCaching } from '../decorators/response-caching.js';
import { FastifyResponseCaching } from './fastify-response-caching.js';

/** Providers of this folder, for the module. */
export const responseProviders: Provider[] = [
  { provide: ResponseCaching, useClass: FastifyResponseCaching },
];
