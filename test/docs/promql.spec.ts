import { describe, expect, it } from '@jest/globals';
import { exposedNames, metricNames } from './promql.js';

describe('metricNames', () => {
  it.each([
    ['up', ['up']],
    ['sum by (route, le) (rate(a_total{job="x",s=~"5.."}[5m]))', ['a_total']],
    ['a_sum / ignoring(code) group_left b_total > 0.05', ['a_sum', 'b_total']],
    ['histogram_quantile(0.95, sum by (le) (rate(d_bucket[$__rate_interval])))', ['d_bucket']],
    ['job:errors:ratio5m > 1e3 and on(instance) up == 1', ['job:errors:ratio5m', 'up']],
    ['a offset 5m unless b', ['a', 'b']],
  ])('finds the metrics of %s', (expression, names) => {
    expect(metricNames(expression)).toEqual(names);
  });
});

describe('exposedNames', () => {
  it('knows the parts of a histogram', () => {
    const text = '# HELP d Time\n# TYPE d histogram\nd_bucket{le="1"} 1\n# TYPE c counter\nc 1\n';
    expect([...exposedNames(text)]).toEqual(['d', 'd_bucket', 'd_sum', 'd_count', 'c']);
  });
});
