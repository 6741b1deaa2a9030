import { describe, expect, it } from '@jest/globals';
import { CsrfCookie } from './csrf-cookie.js';
import { html } from './html.js';

describe('html', () => {
  it('escapes what it is given, and leaves HTML as it is', () => {
    const inner = html`<b>${'<i>"\'&'}</b>`;
    expect(html`<p title="${'a"b'}">${inner}${[inner, html`!`]}</p>`.text).toBe(
      '<p title="a&quot;b"><b>&lt;i&gt;&quot;&#39;&amp;</b><b>&lt;i&gt;&quot;&#39;&amp;</b>!</p>',
    );
  });
});

describe('CsrfCookie', () => {
  const cookie = new CsrfCookie('https://id.example');
  const { token, header } = cookie.issue(undefined);
  const pair = header.split(';')[0] ?? '';

  it('is bound to its host over HTTPS, and can be set without', () => {
    expect(header).toMatch(/^__Host-.+; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
    expect(new CsrfCookie('http://127.0.0.1:3000').issue(undefined).header).toMatch(
      /^pantheon_oauth=.+SameSite=Strict$/,
    );
  });

  it('goes with its own field alone', () => {
    expect(cookie.matches(`other=1; ${pair}; more=2`, token)).toBe(true);
    expect(cookie.matches(pair, cookie.issue(undefined).token)).toBe(false);
    expect(cookie.matches(pair, undefined)).toBe(false);
    expect(cookie.matches(undefined, token)).toBe(false);
    expect(cookie.matches('__Host-pantheon_oauth=', '')).toBe(false);
    expect(cookie.matches(`pantheon_oauth=${token}`, token)).toBe(false);
  });

  it('stays the same for several pages of a browser', () => {
    expect(cookie.issue(pair).token).toBe(token);
    expect(cookie.issue('__Host-pantheon_oauth=<script>').token).not.toBe('<script>');
  });
});
