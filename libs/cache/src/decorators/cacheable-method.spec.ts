import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { CacheStrategySource, type CacheStrategyOptions } from './cache-strategy.source.js';
import { Cacheable } from './cacheable.decorator.js';
import { closeApps, start } from './testing/boot.js';

afterEach(closeApps);

describe('strategies', () => {
  it('say what the decorator does not, take effect at once, and switch the cache off', async () => {
    let options: CacheStrategyOptions | undefined = { ttlMs: 0 };
    class Source extends CacheStrategySource {
      optionsOf(strategy: string): CacheStrategyOptions | undefined {
        return strategy === 'short' ? options : undefined;
      }
    }
    @Injectable()
    class Reports {
      calls = 0;

      @Cacheable({ strategy: 'short', key: '{id}' })
      async get(_id: string): Promise<number> {
        this.calls += 1;
        return this.calls;
      }

      @Cacheable({ strategy: 'short', ttlMs: 60_000 })
      async own(): Promise<number> {
        this.calls += 1;
        return this.calls;
      }
    }
    const app = await start({
      providers: [Reports, { provide: CacheStrategySource, useClass: Source }],
    });
    const reports = app.get(Reports);
    await reports.get('a');
    await expect(reports.get('a')).resolves.toBe(2);
    await reports.own();
    await expect(reports.own()).resolves.toBe(3);
    options = { ttlMs: 60_000 };
    await reports.get('a');
    await expect(reports.get('a')).resolves.toBe(4);
    options = { enabled: false };
    await expect(reports.get('a')).resolves.toBe(5);
    options = undefined;
    await expect(reports.get('a')).resolves.toBe(4);
  });
});
