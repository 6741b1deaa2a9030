import { describe, expect, it } from '@jest/globals';
import { fillTemplate, type KeyTemplate, parseTemplate, valueAt } from './key-template.js';
import { keyPart } from './key-text.js';

/** Fills a template in with values in the order of its slots. */
function filled(template: string, ...values: unknown[]): string {
  const parsed = parseTemplate(template);
  if (typeof parsed === 'string') throw new Error(parsed);
  const readers = parsed.slots.map((_, index) => (call: readonly unknown[]) => call[index]);
  return fillTemplate(parsed, readers)(values);
}

describe('key templates', () => {
  it('put values where their slots are', () => {
    expect(filled('order:{id}', 7)).toBe('order:7');
    expect(filled('{a}/{b}', 'x', true)).toBe('x/true');
    expect(filled('all')).toBe('all');
  });

  it('know names, properties and positions', () => {
    const { slots } = parseTemplate(
      '{order.customer.id}:{0}:{größe}:{headers.accept-language}',
    ) as KeyTemplate;
    expect(slots).toMatchObject([
      { root: 'order', path: ['customer', 'id'] },
      { root: '0', path: [] },
      { root: 'größe', path: [] },
      { root: 'headers', path: ['accept-language'] },
    ]);
  });

  it.each([
    ['{a', 'belongs to no slot'],
    ['a}', 'belongs to no slot'],
    ['100%', 'belongs to no slot'],
    ['{}', '{} is no name'],
    ['{a b}', '{a b} is no name'],
    ['{a..b}', '{a..b} is no name'],
    ['{a}{b}', 'two slots touch'],
    ['', 'it is empty'],
  ])('refuse %j', (template, problem) => {
    expect(parseTemplate(template)).toContain(problem);
  });

  it.each(['{a}:{b}', '{a}-{b}', '{a}/x/{b}', '{a}2{b}', '{a}u{b}', '{a}é{b}', '{a}😀{b}'])(
    'keep the values of two slots apart in %s',
    (template) => {
      const values = ['', 'a', ':', 'a:', ':a', '-', 'x-', '/x/', '%', '%3A', '%2D', '2', '22'];
      values.push('u', '%u', '%n', 'é', '%C3%A9', '😀', '\uD83D', '\uDE00', '%sd83d', 'a:b:c');
      const odd = [undefined, null, 0, -1.5, 9n, {}, [], { a: ':' }, ['%'], new Date(0)];
      const keys = new Map<string, unknown>();
      for (const one of [...values, ...odd]) {
        for (const other of [...values, ...odd]) {
          const key = filled(template, one, other);
          expect([key, keys.get(key)]).toEqual([key, undefined]);
          keys.set(key, [one, other]);
        }
      }
    },
  );

  it('take a value as its text, as a path does', () => {
    expect(filled('{a}', 1)).toBe(filled('{a}', '1'));
    expect(filled('{a}', 'ann@example.org')).toBe('ann@example.org');
  });

  it('take objects whatever the order of their properties', () => {
    expect(filled('{a}', { x: 1, y: 2 })).toBe(filled('{a}', { y: 2, x: 1 }));
  });

  it('refuse functions and name the slot', () => {
    expect(() => filled('a:{run}', () => 1)).toThrow('cannot hold {run}: it is a function');
    expect(() => filled('a:{run}', { stop: () => 1 })).toThrow('cannot hold {run}.stop: it is');
  });

  it('read paths that lead nowhere as undefined', () => {
    expect(valueAt({ a: { b: 1 } }, ['a', 'b'])).toBe(1);
    expect(valueAt({ a: null }, ['a', 'b'])).toBeUndefined();
    expect(valueAt(undefined, ['a'])).toBeUndefined();
  });
});

describe('keyPart', () => {
  it('makes one part of whatever text', () => {
    expect(keyPart('a:b%c')).toBe('a%3Ab%25c');
  });
});
