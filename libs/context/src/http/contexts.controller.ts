import { Body, Controller, Get, Post, Res, type StreamableFile } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { PantheonError, type Principal } from '#libs/core';
import { CurrentPrincipal, RequirePermission, Returns, ReturnsText } from '#libs/http';
import { contextSettings } from '../context.settings.js';
import type { CompileReport } from '../port/compile-report.js';
import type { Message } from '../port/context-port.js';
import { CompileService } from '../services/compile.service.js';
import { SourceCache, type SourceCacheMetrics } from '../caching/source-cache.js';
import type { CompileRequest, CompileTimings } from '../services/compile.types.js';
import { compileRequestSchema } from '../services/input.schemas.js';
import {
  compileAnswerSchema,
  compileBatchAnswerSchema,
  managerCacheSchema,
} from './answer.schemas.js';
import type { HeaderSetter } from './header-setter.js';
import { compileBatch, type CompileBatchItem } from './compile-batch.js';
import { ndjsonFile } from './ndjson-file.js';
import { type CompileBatchBody, compileBatchBodySchema } from './parameter.schemas.js';

const COMPILE = { resource: 'context', action: 'compile' } as const;

/** Contexts compiled from sources; each source is read only as far as the caller may. */
@Controller('v1/contexts')
export class ContextsController {
  constructor(
    private readonly compiler: CompileService,
    private readonly sources: SourceCache,
    private readonly settings: SettingsStore,
  ) {}

  @Post('compile')
  @RequirePermission(COMPILE)
  @Returns(
    200,
    'Compiles a context. X-Cache says which level of the cache had it, Server-Timing where the time went',
    compileAnswerSchema,
  )
  async compile(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: compileRequestSchema }) body: CompileRequest,
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<{ messages: readonly Message[]; report: CompileReport }> {
    const { messages, report, timings, cache, etag } = await this.compiler.compile(principal, body);
    reply.header('server-timing', serverTiming(timings));
    reply.header('x-cache', cache);
    reply.header('etag', etag);
    return { messages, report };
  }

  @Post('compile/batch')
  @RequirePermission(COMPILE)
  @Returns(
    200,
    'Compiles several contexts; a fault of one stands in its place',
    compileBatchAnswerSchema,
  )
  async batch(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: compileBatchBodySchema }) { requests }: CompileBatchBody,
  ): Promise<{ items: readonly CompileBatchItem[] }> {
    const { compileBatchMaxRequests, compileBatchParallel } = this.settings.get(contextSettings);
    if (requests.length > compileBatchMaxRequests) throw tooMany(compileBatchMaxRequests);
    return {
      items: await compileBatch(this.compiler, principal, requests, compileBatchParallel),
    };
  }

  @Post('compile/stream')
  @RequirePermission(COMPILE)
  @ReturnsText(
    200,
    'Compiles a context: a line {message} for each message, and last a line {report}',
    'application/x-ndjson',
  )
  stream(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: compileRequestSchema }) body: CompileRequest,
  ): Promise<StreamableFile> {
    return ndjsonFile(async () => {
      const { messages, report } = await this.compiler.compile(principal, body);
      return linesOf(messages, report);
    });
  }

  @Get('manager-cache')
  @RequirePermission({ resource: 'perf', action: 'read' })
  @Returns(200, 'How the cache of store managers does', managerCacheSchema)
  managerCache(): SourceCacheMetrics {
    return this.sources.metrics();
  }
}

async function* linesOf(
  messages: readonly Message[],
  report: CompileReport,
): AsyncGenerator<object> {
  for (const message of messages) yield { message };
  yield { report };
}

function serverTiming({ managersMs, dbMs, rankMs }: CompileTimings): string {
  return `managers;dur=${managersMs.toFixed(2)}, db;dur=${dbMs.toFixed(2)}, rank;dur=${rankMs.toFixed(2)}`;
}

function tooMany(most: number): PantheonError {
  const message = `At most ${most} contexts (context.compileBatchMaxRequests)`;
  return new PantheonError('COMPILE_BATCH_TOO_LARGE', `${message}; send several batches.`, {
    kind: 'invalid',
    faults: [{ path: 'body.requests', code: 'COMPILE_BATCH_TOO_LARGE', message }],
  });
}
