import type { Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { registerOAuthForms } from '#libs/auth';
import { Compression, decoratedHandlers, HandsOutSecrets } from '#libs/http';
import {
  loggingSettings,
  NestLoggerService,
  registerAccessLog,
  registerRequestContext,
} from '#libs/logging';
import { Metrics, registerHttpMetrics, watchPool } from '#libs/metrics';
import { poolOf } from '#libs/persistence';
import { FastifyAdmission, useRateLimits } from '#libs/resilience';
import type { Platform } from '../../shared/src/platform.js';
import { httpSettings } from '../../shared/src/http.settings.js';
import { AppModule } from './app.module.js';
import { compressAnswers, countBodyBytes } from './http/compression.js';
import { decodeBodies } from './http/decode-bodies.js';
import { mountDashboard } from './http/dashboard.js';
import { addSecurityHeaders } from './http/security-headers.js';
import { useDirectRoutes } from './http/direct-routes.js';
import { useIdempotency } from './http/idempotent-routes.js';
import { mountDocs } from './http/docs.js';
import { createFastifyAdapter } from './http/fastify.js';
import { serializeBySchema } from './http/serialisers.js';
import { closeIdleConnectionsAtEnd } from './http/closing-connections.js';

/** The API with modules beside its own, ready to listen. Closing it leaves the platform open. */
export async function createApi(
  platform: Platform,
  modules: readonly Type[] = [],
): Promise<NestFastifyApplication> {
  const settings = platform.store.get(httpSettings);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(platform, modules),
    createFastifyAdapter(settings),
    { bodyParser: false, abortOnError: false, logger: new NestLoggerService(platform.log) },
  );
  useIdempotency(app);
  useDirectRoutes(app);
  const fastify = app.getHttpAdapter().getInstance();
  closeIdleConnectionsAtEnd(fastify);
  registerOAuthForms(fastify);
  registerRequestContext(fastify);
  app.get(FastifyAdmission).register(fastify);
  const metrics = app.get(Metrics);
  registerHttpMetrics(fastify, metrics.http);
  watchPool(metrics.registry, () => poolOf(platform.dataSource));
  registerAccessLog(fastify, platform.log, () => platform.store.get(loggingSettings).accessLog);
  addSecurityHeaders(fastify);
  const limiting = useRateLimits(app);
  const compression = app.get(Compression);
  const secretHandlers = decoratedHandlers(app.get(ModulesContainer), HandsOutSecrets);
  compressAnswers(fastify, compression, (name) => secretHandlers.has(name));
  countBodyBytes(fastify, compression, metrics.registry);
  decodeBodies(fastify, platform.store);
  serializeBySchema(app);
  if (settings.docs) mountDocs(app);
  mountDashboard(fastify);
  await Promise.all([app.init(), limiting]);
  return app;
}
