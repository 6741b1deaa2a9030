import { describe, expect, it } from '@jest/globals';
import { Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { Principal } from '#libs/core';
import { RequirePermission } from '#libs/http';
import { TrieAccessControl } from '../access/trie-access-control.js';
import { grant, principalWith } from '../testing/access-control.contract.js';
import { PermissionGuard } from './permission.guard.js';

@RequirePermission({ resource: 'source', action: 'list' })
class Routes {
  list(): void {}

  @RequirePermission({ resource: 'source:{id}:entry:{entry}', action: 'read' })
  read(): void {}
}

class OpenRoutes {
  list(): void {}
}

function ask(
  handler: () => void,
  controller: new () => object,
  request: { principal?: Principal; params?: Record<string, string> },
): boolean | Promise<boolean> {
  const context = new ExecutionContextHost([request], controller, handler);
  return new PermissionGuard(new TrieAccessControl(), new Reflector()).canActivate(context);
}

describe('PermissionGuard', () => {
  const { list, read } = Routes.prototype;

  it('takes the permission of the handler before that of its controller', () => {
    const lister = principalWith([grant('allow source list')]);
    expect(ask(list, Routes, { principal: lister })).toBe(true);
    expect(() => ask(read, Routes, { principal: lister, params: { id: 'a', entry: 'b' } })).toThrow(
      expect.objectContaining({
        kind: 'forbidden',
        code: 'AUTH_PERMISSION_DENIED',
        message: 'You need the permission read on source:a:entry:b.',
      }),
    );
  });

  it('puts the parameters of the route into the resource', () => {
    const principal = principalWith([grant('allow source:a:entry:b read')]);
    expect(ask(read, Routes, { principal, params: { id: 'a', entry: 'b' } })).toBe(true);
    expect(() => ask(read, Routes, { principal, params: { id: 'b', entry: 'b' } })).toThrow();
  });

  it('lets no parameter change the shape of the resource', () => {
    const principal = principalWith([grant('allow source:a:entry:b read')]);
    const tricks = [
      { id: 'a:entry:b', entry: '' },
      { id: '*', entry: 'b' },
      { id: 'a', entry: '*' },
      { id: 'a%3Aentry', entry: 'b' },
    ];
    for (const params of tricks) {
      expect(() => ask(read, Routes, { principal, params })).toThrow('You need the permission');
    }
    const bound = principalWith([grant('allow source:* *'), grant('deny source:a:* *')]);
    expect(() =>
      ask(read, Routes, { principal: bound, params: { id: 'a', entry: 'x:y' } }),
    ).toThrow();
  });

  it('lets everybody through where nothing is required', () => {
    expect(ask(OpenRoutes.prototype.list, OpenRoutes, {})).toBe(true);
  });

  it('refuses a request without a principal, whatever the route says of itself', () => {
    expect(() => ask(list, Routes, {})).toThrow(
      expect.objectContaining({ code: 'AUTH_TOKEN_MISSING' }),
    );
  });
});
