import { Body, Controller, Get, Post, Res, type StreamableFile } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { PantheonError, type Principal } from '#libs/core';
import { CurrentPrincipal, RequirePermission, Returns, ReturnsText } from '#libs/http';
import { contextSettings } from '../context.settings.js';
import type { CompileReport } from '../port/compile-report.js';
import type { Message } from '../port/context-port.js';
import { CompileService } from '../services/compile.service.js';
import type {
  CompileRequest,
  CompileTimings,
  ManagerCacheMetrics,
} from '../services/compile.types.js';
import { compileRequestSchema } from '../services/input.schemas.js';
import {
  compileAnswerSchema,
  compileBatchAnswerSchema,
  managerCacheSchema,
} from './answer.schemas.js';
import { compileBatch, type CompileBatchItem } from './compile-batch.js';
import { ndjsonFile } from './ndjson-file.js';
import { type CompileBatchBody, compileBatchBodySchema } from './parameter.schemas.js';

/** The part of a reply that a handler needs to set a header. */
interface HeaderSetter {
  header(name: string, value: string): unknown;
}

const COMPILE = { resource: 'context', action: 'compile' } as const;

/** Contexts compiled from sources; each source is read only as far as the caller may. */
@Controller('v1/contexts')
export class ContextsController {
  constructor(
    private readonly compiler: CompileService,
    private readonly settings: SettingsStore,
  ) {}

  @Post('compile')
  @RequirePermission(COMPILE)
  @Returns(200, 'Compiles a context; Server-Timing says where the time went', compileAnswerSchema)
  async compile(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: compileRequestSchema }) body: CompileRequest,
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<{ messages: readonly Message[]; report: CompileReport }> {
    const { messages, report, timings } = await this.compiler.compile(principal, body);
    reply.header('server-timing', serverTiming(timings));
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
  managerCache(): ManagerCacheMetrics {
    return this.compiler.managerCacheMetrics();
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
