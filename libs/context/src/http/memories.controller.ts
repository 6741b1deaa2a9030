import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, Idempotent, Returns } from '#libs/http';
import type { NewEntry } from '../port/store-entry.js';
import { feedbackSchema, recallSchema, rememberSchema } from '../services/input.schemas.js';
import {
  type MemoryAnswer,
  type MemoryFeedback,
  MemoryService,
  type MemoryView,
  type RecallRequest,
} from '../services/memory.service.js';
import type { HeaderSetter } from './header-setter.js';
import { createdSchema, memoriesSchema } from './answer.schemas.js';
import { entryIdSchema, type RelevantQuery, relevantQuerySchema } from './parameter.schemas.js';

/** What a user's agents remember. Everybody has memories of their own and sees no others. */
@Controller('v1/memories')
export class MemoriesController {
  constructor(private readonly memories: MemoryService) {}

  @Post('remember')
  @Idempotent()
  @Returns(201, 'Keeps a memory', createdSchema)
  remember(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: rememberSchema }) body: NewEntry,
  ): Promise<{ id: string }> {
    return this.memories.remember(principal, body);
  }

  @Post('recall')
  @Returns(200, 'The memories that fit a question, best first', memoriesSchema)
  async recall(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: recallSchema }) body: RecallRequest,
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<{ items: readonly MemoryView[] }> {
    return handOut(await this.memories.recall(principal, body), reply);
  }

  @Get('relevant')
  @Returns(200, 'The memories worth knowing now, best first', memoriesSchema)
  async relevant(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: relevantQuerySchema }) { text, limit }: RelevantQuery,
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<{ items: readonly MemoryView[] }> {
    const texts = text === undefined ? [] : [text];
    return handOut(await this.memories.relevant(principal, { texts, limit }), reply);
  }

  @Post(':id/feedback')
  @Returns(204, 'Rates, pins or weighs a memory, which moves it in later answers')
  feedback(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: entryIdSchema }) id: string,
    @Body({ schema: feedbackSchema }) body: MemoryFeedback,
  ): Promise<void> {
    return this.memories.feedback(principal, id, body);
  }
}

function handOut(
  { items, cache }: MemoryAnswer,
  reply: HeaderSetter,
): { items: readonly MemoryView[] } {
  reply.header('x-cache', cache);
  return { items };
}
