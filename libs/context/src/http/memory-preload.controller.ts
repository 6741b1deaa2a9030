import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Returns } from '#libs/http';
import { JobQueue } from '#libs/jobs';
import { MemoryService } from '../services/memory.service.js';
import { type PreloadConfig, preloadConfigSchema } from '../preload/preload.config.js';
import { preloadMemories } from '../preload/preload.jobs.js';
import { PreloadService, type PreloadStatus } from '../preload/preload.service.js';
import { preloadStartedSchema, preloadStatusSchema } from './answer.schemas.js';

/** The caller's own memories, loaded before they are asked for. */
@Controller('v1/memories/preload')
export class MemoryPreloadController {
  constructor(
    private readonly preloads: PreloadService,
    private readonly memories: MemoryService,
    private readonly queue: JobQueue,
  ) {}

  @Post('trigger')
  @HttpCode(202)
  @Returns(
    202,
    "Loads the caller's memories into the cache, in the background",
    preloadStartedSchema,
  )
  async trigger(@CurrentPrincipal() principal: Principal): Promise<{ jobId: string }> {
    this.memories.require(principal, 'read');
    const { userId, organizationId } = principal;
    const { id: jobId } = await this.queue.enqueue(
      preloadMemories,
      { userId, organizationId },
      { deduplicationKey: `context-preload:${userId}` },
    );
    await this.preloads.requested(principal, jobId);
    return { jobId };
  }

  @Get('status')
  @Returns(200, 'What was loaded, when, and until when it is kept', preloadStatusSchema)
  status(@CurrentPrincipal() principal: Principal): Promise<PreloadStatus> {
    return this.preloads.status(principal);
  }

  @Get('config')
  @Returns(200, 'What is loaded for the caller', preloadConfigSchema)
  config(@CurrentPrincipal() principal: Principal): Promise<PreloadConfig> {
    return this.preloads.config(principal);
  }

  @Put('config')
  @Returns(
    200,
    'Replaces what is loaded for the caller, from the next time on',
    preloadConfigSchema,
  )
  configure(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: preloadConfigSchema }) body: PreloadConfig,
  ): Promise<PreloadConfig> {
    return this.preloads.configure(principal, body);
  }
}
