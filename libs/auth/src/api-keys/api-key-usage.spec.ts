import { afterEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { MemoryLogDestination, RootLogger } from '#libs/logging';
import { MetricRegistry, type Metrics } from '#libs/metrics';
import type { DataSource } from 'typeorm';
import { ApiKeyUsage } from './api-key-usage.js';
import { ApiKeyMetrics } from './api-key.metrics.js';
import { apiKeySettings } from './api-key.settings.js';
import { KeyUsage } from './key-usage.js';

const ROOM = 10;

describe('ApiKeyUsage', () => {
  const written: { lookupId: string; count: number }[] = [];
  const dataSource = {
    query: (_sql: string, [rows]: [string]) => {
      written.push(...(JSON.parse(rows) as typeof written));
      return Promise.resolve([]);
    },
  };
  const usage = new ApiKeyUsage(
    dataSource as unknown as DataSource,
    new SettingsStore([apiKeySettings], { overrides: { apiKeys: { usageBufferKeys: ROOM } } }),
    new ManualClock(),
    new RootLogger({ service: 'test', destination: new MemoryLogDestination() }),
  );
  afterEach(() => usage.onApplicationShutdown());

  it('counts what finds no room among the lost uses, which the metrics tell', async () => {
    const registry = new MetricRegistry(0);
    new ApiKeyMetrics(usage, { registry } as unknown as Metrics).onModuleInit();
    const keys = Array.from({ length: ROOM + 2 }, (_, at) => new KeyUsage(`key-${at}`));
    for (const key of [...keys, ...keys]) usage.count(key, {});
    await usage.flush();
    expect(written).toHaveLength(ROOM);
    expect(written.every(({ count }) => count === 2)).toBe(true);
    const lost = registry.metrics.find(({ name }) => name === 'api_key_uses_lost_total');
    await expect(Promise.resolve(lost?.samples())).resolves.toMatchObject([{ value: 4 }]);
  });
});
