import { describe, expect, it } from '@jest/globals';
import { OAuthError } from '../errors/oauth.error.js';
import { type OAuthClient, scopeFor } from './oauth-client.js';
import { grantsOfScope, isScopeToken, parseScope } from './scope.js';

describe('a scope', () => {
  it('is a permission in one word: the last part is the action', () => {
    expect(grantsOfScope('source:notes:read context:compile *:*')).toEqual([
      { resource: 'source:notes', action: 'read', effect: 'allow' },
      { resource: 'context', action: 'compile', effect: 'allow' },
      { resource: '*', action: '*', effect: 'allow' },
    ]);
  });

  it.each([
    'source',
    '',
    ':',
    'source:',
    ':read',
    'source::read',
    'a:READ',
    'a"b:read',
    'a b:read',
  ])('is not %j', (text) => {
    expect(isScopeToken(text)).toBe(false);
  });

  it('lists each once, and nothing that is none', () => {
    expect(parseScope('a:read b:read a:read')).toEqual(['a:read', 'b:read']);
    expect(parseScope('a:read  b:read')).toBeUndefined();
    expect(parseScope('a:read nonsense')).toBeUndefined();
  });
});

describe('the scope that a client gets', () => {
  const client = { scopes: ['source:*:read', 'context:compile'] } as unknown as OAuthClient;

  it('is all of its own when it asks for none', () => {
    expect(scopeFor(client, undefined)).toBe('source:*:read context:compile');
  });

  it('is what it asks for, as far as its own reaches', () => {
    expect(scopeFor(client, 'context:compile')).toBe('context:compile');
    expect(scopeFor(client, 'source:notes:read')).toBe('source:notes:read');
    expect(scopeFor(client, 'source:notes:entries:read')).toBe('source:notes:entries:read');
  });

  it.each([
    'source:read',
    'source:*:write',
    'source:*:*',
    '*:read',
    '*:*',
    'context:*',
    'source:notes:read *:*',
    'nonsense',
    '',
    ` ${'x:read '.repeat(400)}`,
  ])('is never %.40j', (asked) => {
    expect(() => scopeFor(client, asked)).toThrow(OAuthError);
  });
});
