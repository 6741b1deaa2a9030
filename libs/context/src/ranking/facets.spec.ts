import { describe, expect, it } from '@jest/globals';
import { facetsOf, facetsOfWhere } from './facets.js';

const entry = {
  role: 'user',
  type: null,
  author: 'Ann',
  metadata: { room: 'hall', count: 3, open: false, list: [1], deep: { a: 1 }, none: null, role: 7 },
};

describe('facets', () => {
  it.each([[{ role: 'user' }], [{ author: 'Ann', room: 'hall' }], [{ count: 3, open: false }]])(
    'of conditions are among those of an entry that meets them: %j',
    (where) => {
      const facets = facetsOfWhere(where);
      expect(facets).toHaveLength(Object.keys(where).length);
      expect(facetsOf(entry)).toEqual(expect.arrayContaining(facets));
    },
  );

  it.each([[{ role: 'system' }], [{ room: 'attic' }], [{ count: '3' }], [{ open: true }]])(
    'of conditions are not among those of an entry that does not: %j',
    (where) => {
      expect(facetsOf(entry)).not.toEqual(expect.arrayContaining(facetsOfWhere(where)));
    },
  );

  it('there are none for lists, objects and null', () => {
    expect(facetsOfWhere({ list: [1], deep: { a: 1 }, none: null })).toEqual([]);
    expect(facetsOfWhere(undefined)).toEqual([]);
    expect(facetsOf(entry)).toHaveLength(5);
  });

  it('need no quotes in a tsvector', () => {
    for (const facet of facetsOf(entry)) expect(facet).toMatch(/^#[a-z0-9]+$/);
  });

  it('hardly ever meet by chance', () => {
    const facets = Array.from({ length: 100_000 }, (_, index) => facetsOfWhere({ key: index })[0]);
    expect(new Set(facets).size).toBe(100_000);
  });
});
