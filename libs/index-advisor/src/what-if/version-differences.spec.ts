import { describe, expect, it } from '@jest/globals';
import type { Catalog } from '../catalog/catalog.js';
import { knownDifferences } from './version-differences.js';

const catalogOf = (server: Partial<Catalog['server']>): Catalog => ({
  server: {
    versionNumber: 180_004,
    majorVersion: 18,
    database: 'shop',
    role: 'reader',
    isReplica: false,
    blockBytes: 8192,
    sortsByBytes: true,
    encoding: 'UTF8',
    settings: new Map(),
    countersSince: undefined,
    ...server,
  },
  schemas: [],
  extensions: [],
  types: [],
  functions: [],
  tables: [],
  views: [],
  gaps: [],
});

describe('what makes plans differ', () => {
  it('is nothing for a server of the same version', () => {
    expect(knownDifferences(catalogOf({}))).toEqual([]);
  });

  it('is what the planner has that an older server lacks', () => {
    const [difference] = knownDifferences(catalogOf({ majorVersion: 17 }));
    expect(difference).toMatchObject({ kind: 'server-version', subject: 'PostgreSQL 17' });
    expect(difference?.detail).toContain('skip scans');
    expect(difference?.detail).not.toContain('CTEs');
  });

  it('is what nobody knows yet of a newer server', () => {
    const [difference] = knownDifferences(catalogOf({ majorVersion: 19 }));
    expect(difference?.detail).toContain('what came later is not known');
  });

  it('is other pages and other text', () => {
    const kinds = knownDifferences(catalogOf({ blockBytes: 16_384, encoding: 'LATIN1' })).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['block-size', 'encoding']);
  });
});
