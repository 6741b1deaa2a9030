import { Body, Controller, Post } from '@nestjs/common';
import type { Principal } from '#libs/core';
import { CurrentPrincipal, HandsOutSecrets, Returns } from '#libs/http';
import type { z } from 'zod';
import { TrieAccessControl } from '../access/trie-access-control.js';
import { checkBody, checkSchema } from './check.schemas.js';

/** What the caller may do, asked ahead of doing it. */
@HandsOutSecrets()
@Controller('v1/auth')
export class AccessController {
  constructor(private readonly access: TrieAccessControl) {}

  @Post('check')
  @Returns(
    200,
    'Whether the caller may do something and which grant decides, for one question or many',
    checkSchema,
  )
  check(
    @Body({ schema: checkBody }) body: z.infer<typeof checkBody>,
    @CurrentPrincipal() principal: Principal,
  ): z.infer<typeof checkSchema> {
    if (!('checks' in body)) return this.access.explain(principal, body.resource, body.action);
    return {
      results: body.checks.map(({ resource, action }) =>
        this.access.explain(principal, resource, action),
      ),
    };
  }
}
