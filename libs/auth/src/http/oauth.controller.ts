import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  Ip,
  Post,
  Query,
  Res,
  UseFilters,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  AcceptsText,
  HandsOutSecrets,
  Priority,
  Problems,
  Public,
  Returns,
  ReturnsText,
} from '#libs/http';
import { RateLimit } from '#libs/resilience';
import type { z } from 'zod';
import { Consent, type ConsentAnswer, type Visitor } from '../oauth/consent.js';
import { Parameters } from '../oauth/parameters.js';
import { TokenEndpoint } from '../oauth/token-endpoint.js';
import { TokenInspection } from '../oauth/token-inspection.js';
import { credentialLimit } from './credential-limit.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { introspectionSchema, revocationSchema, tokenAnswerSchema } from './oauth.schemas.js';

const FORM = 'application/x-www-form-urlencoded';
const REFUSED = 'Refused, as {"error", "error_description"} of RFC 6749';
const CLIENT_UNKNOWN = 'The client is not the one that it says it is, in the form of RFC 6749';

/** The endpoints of OAuth 2.0. Whoever asks is a client or a browser, not the holder of a token. */
@HandsOutSecrets()
@Controller('oauth')
@Public()
@Priority('critical')
@UseFilters(OAuthErrorFilter)
export class OAuthController {
  constructor(
    private readonly consent: Consent,
    private readonly tokens: TokenEndpoint,
    private readonly inspection: TokenInspection,
  ) {}

  @Get('authorize')
  @ReturnsText(200, 'Asks a person whether a client may act for them', 'text/html')
  @Problems({
    302: 'The request is refused, and the client is told so',
    400: 'A page: there is no such client, or it has no such address',
  })
  async ask(
    @Query() query: unknown,
    @Ip() address: string,
    @Headers() headers: VisitorHeaders,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.consent.ask(query, visitorOf(address, headers)));
  }

  @Post('authorize')
  @RateLimit(credentialLimit)
  @AcceptsText(FORM, 'What the form of the page holds')
  @Returns(303, 'Sends the browser to the client, with a code or a refusal')
  @Problems({ 400: 'A page, as with GET', 403: 'A page that asks again' })
  async decide(
    @Body() body: unknown,
    @Ip() address: string,
    @Headers() headers: VisitorHeaders,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.consent.decide(body, visitorOf(address, headers)));
  }

  @Post('token')
  @RateLimit(credentialLimit)
  @AcceptsText(FORM, 'RFC 6749: grant_type, and what it needs')
  @Returns(200, 'Exchanges a code, a refresh token or credentials for tokens', tokenAnswerSchema)
  @Problems({ 400: REFUSED, 401: CLIENT_UNKNOWN })
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  token(
    @Body() body: unknown,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<z.infer<typeof tokenAnswerSchema>> {
    return this.tokens.issue(Parameters.ofForm(body), authorization);
  }

  @Post('revoke')
  @AcceptsText(FORM, 'RFC 7009: token')
  @Returns(200, 'Ends a token of the client, and with it its session', revocationSchema)
  @Problems({ 400: REFUSED, 401: CLIENT_UNKNOWN })
  @Header('Cache-Control', 'no-store')
  async revoke(
    @Body() body: unknown,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<z.infer<typeof revocationSchema>> {
    await this.inspection.revoke(Parameters.ofForm(body), authorization);
    return {};
  }

  @Post('introspect')
  @AcceptsText(FORM, 'RFC 7662: token')
  @Returns(200, 'Whether a token is alive, and what it is for', introspectionSchema)
  @Problems({ 400: REFUSED, 401: CLIENT_UNKNOWN })
  @Header('Cache-Control', 'no-store')
  introspect(
    @Body() body: unknown,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<z.infer<typeof introspectionSchema>> {
    return this.inspection.introspect(Parameters.ofForm(body), authorization);
  }
}

interface VisitorHeaders {
  readonly cookie?: string;
  readonly 'sec-fetch-site'?: string;
}

function visitorOf(address: string, headers: VisitorHeaders): Visitor {
  return {
    address,
    cookies: headers.cookie,
    fetchSite: headers['sec-fetch-site'],
  };
}

/** 303 turns a form into a look at the new address, so that no password goes on (RFC 9700, 4.12). */
function send(reply: FastifyReply, answer: ConsentAnswer): void {
  if (answer.kind === 'page') {
    const { status, headers, body } = answer.page;
    void reply.status(status).headers(headers).send(body);
    return;
  }
  const status = reply.request.method === 'GET' ? 302 : 303;
  void reply
    .status(status)
    .header('cache-control', 'no-store')
    .header('location', answer.location)
    .send();
}
