import { describe, expect, it } from '@jest/globals';
import type { HealthSummary } from '../health-summaries.js';
import { healthAnswer, type HealthState } from './health-answer.js';

const well: HealthState = {
  summary: { status: 'ok', details: {} },
  isDraining: false,
  silentMs: 3,
  stallMs: 1_000,
};
const withStatus = (status: HealthSummary['status']): HealthState => ({
  ...well,
  summary: { status, details: {} },
});
const statuses = (state: HealthState): (number | undefined)[] =>
  ['/health', '/health/live', '/health/ready'].map((path) => healthAnswer(path, state)?.status);

describe('healthAnswer', () => {
  it('goes by the last that the main thread said', () => {
    expect(statuses(well)).toEqual([200, 200, 200]);
    expect(statuses(withStatus('degraded'))).toEqual([200, 200, 200]);
    expect(statuses(withStatus('error'))).toEqual([503, 200, 503]);
    expect(healthAnswer('/health', well)?.body).toEqual({ status: 'ok', details: {} });
  });

  it('is not ready before the main thread has said anything', () => {
    expect(statuses({ ...well, summary: undefined })).toEqual([503, 200, 503]);
  });

  it('is not ready while the process drains, whatever was said last', () => {
    const draining = { ...well, isDraining: true };
    expect(statuses(draining)).toEqual([200, 200, 503]);
    expect(healthAnswer('/health/ready', draining)?.body).toMatchObject({
      status: 'shutting_down',
    });
  });

  it('calls a main thread stalled that has not turned for too long', () => {
    const stalled = { ...well, silentMs: 1_000.4 };
    expect(statuses(stalled)).toEqual([503, 503, 503]);
    expect(healthAnswer('/health/live', stalled)?.body).toEqual({
      status: 'stalled',
      stalledMs: 1_000,
      details: {},
    });
  });

  it('knows no other address', () => {
    expect(healthAnswer('/', well)).toBeUndefined();
    expect(healthAnswer('/health/', well)).toBeUndefined();
  });
});
