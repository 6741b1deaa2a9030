import type { TestApi } from '../../support/app.js';

/** The value of a series that `/metrics` shows; 0 for one that is not there yet. */
export async function metricOf(api: TestApi, series: string): Promise<number> {
  const { body } = await api.request('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}
