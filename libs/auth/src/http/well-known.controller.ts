import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { Priority, Public, Returns } from '#libs/http';
import type { z } from 'zod';
import { authSettings } from '../auth.settings.js';
import { serverMetadata } from '../oauth/server-metadata.js';
import { SigningKeys } from '../tokens/signing-keys.js';
import { jwksSchema, serverMetadataSchema } from './oauth.schemas.js';

/** What others need to know to use this server, and to verify what it signs. */
@Controller('.well-known')
@Public()
@Priority('critical')
export class WellKnownController {
  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  @Get('jwks.json')
  @Returns(200, 'The public keys by which access tokens are verified', jwksSchema)
  async jwks(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.infer<typeof jwksSchema>> {
    this.keepable(reply);
    const ring = await this.keys.all();
    return { keys: ring.published(this.clock.nowMs()).map(({ jwk }) => jwk) };
  }

  @Get('oauth-authorization-server')
  @Returns(200, 'What the authorization server offers (RFC 8414)', serverMetadataSchema)
  metadata(@Res({ passthrough: true }) reply: FastifyReply): z.infer<typeof serverMetadataSchema> {
    this.keepable(reply);
    return serverMetadata(this.settings.get(authSettings).issuer);
  }

  private keepable(reply: FastifyReply): void {
    const { jwksCacheSeconds } = this.settings.get(authSettings);
    void reply.header('cache-control', `public, max-age=${jwksCacheSeconds}`);
  }
}
