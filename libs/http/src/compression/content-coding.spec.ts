import { describe, expect, it } from '@jest/globals';
import { isCompressible } from './compressible.js';
import { codingFor } from './content-coding.js';
import { varyWith, weakTag } from './header-values.js';

describe('the coding of an answer', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['deflate, gzip, br', 'br'],
    ['gzip;q=0.8, br;q=0.2', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['*;q=0', undefined],
    ['identity;q=1, gzip;q=0.9', undefined],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['gzip;q=two', undefined],
    ['gzip;q=2', undefined],
    ['compress, zstd', undefined],
    ['gzip ; q=0.5 , deflate', 'deflate'],
    [`${'x,'.repeat(200)}gzip`, 'gzip'],
  ])('for %p is %p', (accepted, coding) => {
    expect(codingFor(accepted)).toBe(coding);
    expect(codingFor(accepted)).toBe(coding);
  });

  it('is known for no more headers than a few', () => {
    for (let at = 0; at < 1_000; at += 1) expect(codingFor(`gzip, x-${at}`)).toBe('gzip');
  });
});

describe('content that is worth compressing', () => {
  it.each([
    ['application/json; charset=utf-8', true],
    ['application/problem+json', true],
    ['application/x-ndjson', true],
    ['text/html', true],
    ['image/svg+xml', true],
    ['text/event-stream', false],
    ['image/png', false],
    ['application/gzip', false],
    ['undefined', false],
  ])('%s: %p', (type, is) => expect(isCompressible(type)).toBe(is));
});

describe('the headers of a compressed answer', () => {
  it('name what it varies by once, and weaken its tag', () => {
    expect(varyWith(undefined, 'accept-encoding')).toBe('accept-encoding');
    expect(varyWith('Origin', 'accept-encoding')).toBe('Origin, accept-encoding');
    expect(varyWith('Accept-Encoding', 'accept-encoding')).toBe('Accept-Encoding');
    expect(varyWith('*', 'accept-encoding')).toBe('*');
    expect(weakTag('"a"')).toBe('W/"a"');
    expect(weakTag('W/"a"')).toBe('W/"a"');
  });
});
