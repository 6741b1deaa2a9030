import { Body, Controller, Get, Post } from '@nestjs/common';
import { Clock, type Principal } from '#libs/core';
import { CurrentPrincipal, HandsOutSecrets, RequirePermission, Returns } from '#libs/http';
import type { z } from 'zod';
import type { Keyring } from '../tokens/keyring.js';
import { SIGNING_ALGORITHM } from '../tokens/signing-key-pair.js';
import { SigningKeys } from '../tokens/signing-keys.js';
import { rotateBody, signingKeysSchema } from './oauth.schemas.js';

const READ = { resource: 'platform:signing-keys', action: 'read' };
const MANAGE = { resource: 'platform:signing-keys', action: 'manage' };

/** The keys that sign access tokens. */
@HandsOutSecrets()
@Controller('v1/auth/signing-keys')
export class SigningKeysController {
  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequirePermission(READ)
  @Returns(200, 'The keys and what each is for, newest first', signingKeysSchema)
  async list(): Promise<z.infer<typeof signingKeysSchema>> {
    return this.view(await this.keys.all());
  }

  @Post('rotate')
  @RequirePermission(MANAGE)
  @Returns(200, 'Makes the next key, which signs when everybody can know it', signingKeysSchema)
  async rotate(
    @Body({ schema: rotateBody }) { betrayed }: z.infer<typeof rotateBody>,
    @CurrentPrincipal() { userId }: Principal,
  ): Promise<z.infer<typeof signingKeysSchema>> {
    return this.view(betrayed ? await this.keys.withdraw(userId) : await this.keys.rotate(userId));
  }

  private view(ring: Keyring): z.infer<typeof signingKeysSchema> {
    const nowMs = this.clock.nowMs();
    return {
      items: ring.published(nowMs).map((key) => ({
        kid: key.kid,
        algorithm: SIGNING_ALGORITHM,
        part: ring.partOf(key, nowMs),
        createdAt: key.createdAt.toISOString(),
        signsFrom: key.signsFrom.toISOString(),
        verifiesUntil: key.expiresAt?.toISOString() ?? null,
      })),
    };
  }
}
