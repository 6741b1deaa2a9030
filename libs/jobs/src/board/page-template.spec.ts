import { describe, expect, it } from '@jest/globals';
import { fillTemplate } from './page-template.js';

describe('fillTemplate', () => {
  it('escapes what stands after an equals sign and nothing else', () => {
    const page = '<base href="<%= path %>"><script><%- json %></script>';
    expect(fillTemplate(page, { path: '"><x>', json: '{"a":"<b>"}' })).toBe(
      '<base href="&quot;&gt;&lt;x&gt;"><script>{"a":"<b>"}</script>',
    );
  });

  it('leaves out what is not given, and takes no placeholder from a value', () => {
    expect(fillTemplate('[<%= a %>][<%- b %>]', { b: '<%= c %>', c: 'no' })).toBe('[][<%= c %>]');
  });

  it('refuses a page that holds more of the template language', () => {
    expect(() => fillTemplate('<% if (a) { %>', {})).toThrow(TypeError);
  });
});
