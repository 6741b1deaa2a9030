import { describe, expect, it } from '@jest/globals';
import { policySourceOf, redirectUriFault, withParameters } from './redirect-uri.js';

describe('an address for codes', () => {
  it.each([
    'https://app.example/callback',
    'https://app.example:8443/callback?tenant=a',
    'http://127.0.0.1:5000/',
    'http://[::1]:5000/cb',
    'http://localhost/cb',
    'com.example.app:/callback',
    'com.example.app://callback',
  ])('may be %s', (uri) => {
    expect(redirectUriFault(uri)).toBeUndefined();
  });

  it.each([
    'http://app.example/callback',
    'http://127.0.0.1.attacker.example/',
    'http://localhost.attacker.example/',
    '//app.example/callback',
    'app.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://app.example/1',
    'myapp:/callback',
    'https://app.example/#',
    'https://app.example/cb#x',
    'https://user:secret@app.example/',
    'https://*.example/',
    'https:\\\\app.example\\cb',
    'https://app.example/a b',
    'https://app.example/\tcb',
    `https://app.example/${'x'.repeat(1_000)}`,
    '',
  ])('cannot be %j', (uri) => {
    expect(redirectUriFault(uri)).toEqual(expect.any(String));
  });

  it('keeps its own query, and gets each parameter once', () => {
    const parameters = { code: 'a b&c', state: undefined, iss: 'https://id.example' };
    expect(withParameters('https://app.example/cb?tenant=a&code=old', parameters)).toBe(
      'https://app.example/cb?tenant=a&code=a+b%26c&iss=https%3A%2F%2Fid.example',
    );
    expect(withParameters('com.example.app:/cb', { code: 'x' })).toBe('com.example.app:/cb?code=x');
  });

  it('is an origin, or a scheme, to a policy of contents', () => {
    expect(policySourceOf('https://app.example:8443/cb?x=1')).toBe('https://app.example:8443');
    expect(policySourceOf('com.example.app:/cb')).toBe('com.example.app:');
  });
});
