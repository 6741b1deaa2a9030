import { All, Controller, Delete, Inject, Post, Req, Res, SetMetadata } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessControl, PantheonError, type Principal } from '#libs/core';
import { CurrentPrincipal, Public, RequirePermission, RequireSession, Returns } from '#libs/http';
import { BoardSessions } from '../board/board-sessions.js';
import { BOARD_PATH, JobBoard } from '../board/job-board.js';
import { SIGN_IN_PAGE, signInScript } from '../board/sign-in.js';
import { JOBS_ROOT_OPTIONS, type JobsRootOptions } from '../jobs.runtime.js';

const COOKIE = 'pantheon_job_board';
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The board sets a base for its addresses and styles elements inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "base-uri 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'";

/** Hides a handler from the OpenAPI document without loading the library that makes it. */
const Undocumented = (): MethodDecorator =>
  SetMetadata('swagger/apiExcludeEndpoint', { disable: true });

/**
 * bull-board for people. Who may see jobs exchanges a token for a cookie that only these paths
 * get, that no script can read, that no other site can send, and that expires soon.
 */
@Controller('v1/jobs/board')
export class JobBoardController {
  constructor(
    private readonly board: JobBoard,
    private readonly sessions: BoardSessions,
    private readonly access: AccessControl,
    @Inject(JOBS_ROOT_OPTIONS) private readonly options: JobsRootOptions,
  ) {}

  @Post('session')
  @RequireSession()
  @RequirePermission({ resource: 'jobs', action: 'read' })
  @Returns(204, 'Lets this browser open /v1/jobs/board, by a cookie, for a short time')
  async openSession(
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const canManage = this.access.isAllowed(principal, 'jobs', 'manage');
    const { token, seconds } = await this.sessions.open(principal.userId, canManage);
    reply.header('set-cookie', cookie(token, seconds, request));
  }

  @Delete('session')
  @Public()
  @Returns(204, 'Ends the session of this browser on the job board, if there is one')
  async closeSession(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.sessions.close(tokenOf(request));
    reply.header('set-cookie', cookie('', 0, request));
  }

  @All(['', '*'])
  @Public()
  @Undocumented()
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    const path = request.url.replace(/\?.*$/s, '').slice(BOARD_PATH.length);
    if (path === '/sign-in.js' && this.options.loginPath !== undefined) {
      await reply.type('text/javascript').send(signInScript(this.options.loginPath));
      return;
    }
    const session = await this.sessions.find(tokenOf(request));
    if (session === undefined) return this.askWhoIsThere(request, reply);
    requireOwnPage(request);
    const { method, query, body } = request;
    const answer = await this.board.answer({ method, path, query, body }, session.canManage);
    await reply
      .status(answer.status)
      .type(answer.type)
      .header('cache-control', answer.cacheControl)
      .send(answer.body);
  }

  private async askWhoIsThere(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const isPage = request.method === 'GET' && request.headers.accept?.includes('text/html');
    if (isPage !== true || this.options.loginPath === undefined) throw sessionMissing();
    await reply
      .status(401)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(SIGN_IN_PAGE);
  }
}

/** Other hosts of our site are not our pages; browsers say where a request comes from. */
function requireOwnPage({ method, headers }: FastifyRequest): void {
  const origin = headers['sec-fetch-site'];
  if (SAFE_METHODS.has(method) || origin === undefined || origin === 'same-origin') return;
  throw new PantheonError('JOB_BOARD_FOREIGN_PAGE', 'Only the board itself may change jobs.', {
    kind: 'forbidden',
  });
}

function sessionMissing(): PantheonError {
  return new PantheonError(
    'JOB_BOARD_SESSION_MISSING',
    `Open the board with POST ${BOARD_PATH}/session and an access token first.`,
    { kind: 'unauthenticated' },
  );
}

function cookie(token: string, seconds: number, request: FastifyRequest): string {
  const secure = request.protocol === 'https' ? '; Secure' : '';
  return `${COOKIE}=${token}; Path=${BOARD_PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function tokenOf({ headers }: FastifyRequest): string {
  const cookies = headers.cookie?.split(';') ?? [];
  const found = cookies.map((one) => one.trim()).find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? '';
}
