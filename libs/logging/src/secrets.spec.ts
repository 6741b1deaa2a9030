import { describe, expect, it } from '@jest/globals';
import { maskSecretsIn, SecretNames } from './secrets.js';
import { cpuMsOf } from '../../../test/support/cpu-time.js';

const names = new SecretNames(['internalNote', 'x-legacy']);

describe('SecretNames', () => {
  it.each([
    'password',
    'Password',
    'newPassword',
    'password_hash',
    'passwd',
    'token',
    'accessToken',
    'refresh_token',
    'X-Refresh-Token',
    'tokenHash',
    'authorization',
    'Proxy-Authorization',
    'secret',
    'clientSecret',
    'cookie',
    'Set-Cookie',
    'apiKey',
    'api_key',
    'x-api-key',
    'privateKey',
    'credentials',
    'jwt',
    'otp',
    'databaseUrl',
    'DATABASE_URL',
    'redis_url',
    'connectionString',
    'internalNote',
    'internal_note',
    'X-Legacy',
  ])('takes %s for secret', (name) => {
    expect(names.isSecret(name, 'value')).toBe(true);
  });

  it.each([
    'author',
    'authored',
    'tokenizer',
    'maxTokens2',
    'key',
    'keyword',
    'passenger',
    'spin',
    'user',
    'secondsLeft',
    'cooked',
    'monkey',
  ])('takes %s for harmless', (name) => {
    expect(names.isSecret(name, 'value')).toBe(false);
  });

  it('shows a number of tokens, and hides a list of them', () => {
    expect(names.isSecret('maxTokens', 512)).toBe(false);
    expect(names.isSecret('tokens', ['a', 'b'])).toBe(true);
    expect(names.isSecret('password', 1234)).toBe(true);
  });

  it('decides the same however many names it has seen', () => {
    for (let at = 0; at < 20_000; at += 1) names.isSecret(`name${at}`, '');
    expect(names.isSecret('password', '')).toBe(true);
    expect(names.isSecret('name1', '')).toBe(false);
  });
});

describe('maskSecretsIn', () => {
  const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P';
  it.each([
    ['postgres://pantheon:s3cret@db:5432/x', 'postgres://pantheon:***@db:5432/x'],
    ['redis://:s3cret@cache:6379', 'redis://:***@cache:6379'],
    ['mongodb+srv://u:p%40ss@h/x?y=z', 'mongodb+srv://u:***@h/x?y=z'],
    ['postgres://u:s3@cret@db/x', 'postgres://u:***@db/x'],
    ['postgres://u:s3/cret@db/x', 'postgres://u:***@db/x'],
    ['to http://host:8080/a?mail=a@b.c', 'to http://host:8080/a?mail=a@b.c'],
    ['at file:///app/x.js:1:2 of a@b', 'at file:///app/x.js:1:2 of a@b'],
    ['Authorization: Bearer abc.def-123', 'Authorization: ***'],
    ['got bearer abcdef123456 here', 'got bearer *** here'],
    ['Basic dXNlcjpwYXNz=', 'Basic ***'],
    [`token is ${JWT}!`, 'token is ***!'],
    [`the key pan_${'a1'.repeat(32)}Z came`, 'the key *** came'],
    [`prt_${'-_x'.repeat(14)}x again`, '*** again'],
    [`span_${'x'.repeat(60)} is no key`, `span_${'x'.repeat(60)} is no key`],
    ['host=db password=hunter2 user=me', 'host=db password=*** user=me'],
    ["password='two words' user=me", "password='***' user=me"],
    ['/cb?code=1&access_token=abc&x=1', '/cb?code=1&access_token=***&x=1'],
    ['{"password":"p w","user":"me"}', '{"password":"***","user":"me"}'],
    ['{\\"apiKey\\":\\"abc\\"}', '{\\"apiKey\\":\\"***\\"}'],
    ['Set-Cookie: sid=1; Path=/', 'Set-Cookie: ***'],
    ['Key (token_hash)=(abc) already exists.', 'Key (token_hash)=(***) already exists.'],
    ['Key (email)=(a@b.c) already exists.', 'Key (email)=(a@b.c) already exists.'],
  ])('masks %s', (text, masked) => {
    expect(maskSecretsIn(text)).toBe(masked);
  });

  it.each(['', 'short', 'the token is gone', 'pass the salt: please', 'a = b', '2 + 2 = 4'])(
    'leaves "%s" as it is',
    (text) => {
      expect(maskSecretsIn(text)).toBe(text);
    },
  );

  it.each([
    ['token'],
    ['eyJ-'],
    ['pan_'],
    [`pan_${'a'.repeat(60)}-`],
    ['eyJabcdef.'],
    ['://a:'],
    ['://a:x'],
    ['bearer '],
    ['(token'],
    ['password='],
    ['password="'],
    ['"secret": "'],
    ['cookie:'],
    ['@://:'],
  ])('takes no time to speak of for a long text of %s', (part) => {
    const text = `${part.repeat(16_384 / part.length)}@)=(`;
    maskSecretsIn(text);
    expect(cpuMsOf(() => maskSecretsIn(text))).toBeLessThan(100);
  });
});
