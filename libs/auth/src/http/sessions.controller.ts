import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Credential, Principal } from '#libs/core';
import {
  CurrentCredential,
  CurrentPrincipal,
  HandsOutSecrets,
  type Page,
  pageQuerySchema,
  type PageQuery,
  pageSchema,
  Problems,
  RequireSession,
  Returns,
} from '#libs/http';
import type { z } from 'zod';
import { SessionInsights } from '../sessions/session-insights.js';
import { idParams } from './auth.schemas.js';
import { pageOf } from './page-of.js';
import { toSession } from './session-view.js';
import {
  analyticsSchema,
  endedSchema,
  endSessionsQuery,
  recommendationsSchema,
  renewBody,
  renewedSchema,
  sessionSchema,
} from './sessions.schemas.js';

const NOT_FOUND = { 404: 'The caller has no such live session' };
const NOT_OF_A_LOGIN = { ...NOT_FOUND, 409: 'It is the session of an OAuth client' };

/** The sessions of the caller. */
@HandsOutSecrets()
@Controller('v1/auth/sessions')
@RequireSession()
export class SessionsController {
  constructor(private readonly sessions: SessionInsights) {}

  @Get()
  @Returns(200, 'The live sessions of the caller, oldest first', pageSchema(sessionSchema))
  list(
    @Query({ schema: pageQuerySchema }) query: PageQuery,
    @CurrentPrincipal() { userId }: Principal,
    @CurrentCredential() current: Credential,
  ): Promise<Page<z.infer<typeof sessionSchema>>> {
    return pageOf(query, async (limit, afterId) => {
      const sessions = await this.sessions.list(userId, limit, afterId);
      return sessions.map((session) => toSession(session, current.id));
    });
  }

  @Delete()
  @Returns(200, 'Ends all sessions of the caller, or all but this one', endedSchema)
  async endAll(
    @Query({ schema: endSessionsQuery }) { except }: z.infer<typeof endSessionsQuery>,
    @CurrentPrincipal() { userId }: Principal,
    @CurrentCredential() current: Credential,
  ): Promise<z.infer<typeof endedSchema>> {
    const options = except === undefined ? {} : { exceptSessionId: current.id };
    return { ended: await this.sessions.endAll(userId, options) };
  }

  @Delete(':id')
  @Returns(204, 'Ends a session of the caller')
  @Problems(NOT_FOUND)
  end(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() { userId }: Principal,
  ): Promise<void> {
    return this.sessions.end(userId, id);
  }

  @Get(':id/analytics')
  @Returns(200, 'How a session is used, and what its time-out is made of', analyticsSchema)
  @Problems(NOT_OF_A_LOGIN)
  async analytics(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() { userId }: Principal,
    @CurrentCredential() current: Credential,
  ): Promise<z.infer<typeof analyticsSchema>> {
    const { session, timeout, uses } = await this.sessions.analyse(userId, id);
    return { session: toSession(session, current.id), timeout, learnedFrom: [...uses] };
  }

  @Get(':id/recommendations')
  @Returns(200, 'Whether to renew a session, and why', recommendationsSchema)
  @Problems(NOT_OF_A_LOGIN)
  async recommendations(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @CurrentPrincipal() { userId }: Principal,
  ): Promise<z.infer<typeof recommendationsSchema>> {
    const advice = await this.sessions.advise(userId, id);
    return { ...advice, reasons: [...advice.reasons] };
  }

  @Post(':id/renew')
  @Returns(200, 'Counts the time-out of a session from now on, worked out anew', renewedSchema)
  @Problems(NOT_OF_A_LOGIN)
  async renew(
    @Param({ schema: idParams }) { id }: z.infer<typeof idParams>,
    @Body({ schema: renewBody }) { important }: z.infer<typeof renewBody>,
    @CurrentPrincipal() { userId }: Principal,
  ): Promise<z.infer<typeof renewedSchema>> {
    const { profile, timeout, expiresAt } = await this.sessions.renew(userId, id, important);
    const { risk, anomalies } = profile;
    return { expiresAt: expiresAt.toISOString(), risk, anomalies: [...anomalies], timeout };
  }
}
