import { describe, expect, it } from '@jest/globals';
import { dependencyBytes, distinctBytes } from './extended-statistics.js';

// The bytes are those that PostgreSQL 18 keeps for a table of 3,000 rows.
describe('the bytes of statistics objects', () => {
  it('count distinct combinations', () => {
    const items = [
      { numbers: [1, 2], value: 10 },
      { numbers: [1, 3], value: 70 },
      { numbers: [2, 3], value: 70 },
      { numbers: [1, 2, 3], value: 70 },
    ];
    expect(distinctBytes(items)).toBe(
      'a4bf52a3010000000400000000000000000024400200000001000200000000000080514002000000010003000' +
        '00000000080514002000000020003000000000000805140030000' +
        '00010002000300',
    );
  });

  it('tell which columns depend on which', () => {
    const items = [
      { numbers: [1, 2], value: 1 },
      { numbers: [2, 1], value: 1 },
      { numbers: [1, 3, 2], value: 1 },
      { numbers: [2, 3, 1], value: 1 },
    ];
    expect(dependencyBytes(items)).toBe(
      '2c9a54b40100000004000000000000000000f03f020001000200000000000000f03f02000200010000000000' +
        '0000f03f0300010003000200000000000000f03f0300020003000100',
    );
  });
});
