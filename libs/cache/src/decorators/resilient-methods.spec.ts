import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SettingsStore } from '#libs/config';
import { Clock, SystemClock } from '#libs/core';
import { PoliciesModule, policySettings, Resilient } from '#libs/resilience';
import { CacheHub } from '../engine/cache-hub.js';
import { Cacheable } from './cacheable.decorator.js';
import { moduleOf } from './testing/decorator-app.js';

let close: () => Promise<void>;
afterEach(() => close());

@Injectable()
class Rates {
  calls = 0;

  @Cacheable({ key: 'rate:{currency}' })
  @Resilient({ name: 'rates', circuit: { minimumCalls: 1 } })
  async of(currency: string): Promise<string> {
    this.calls += 1;
    if (currency === 'XXX') throw new Error('no connection');
    return `${currency} ${this.calls}`;
  }
}

describe.each([true, false])('a method with a cache and a policy, with routes: %s', (hasRoutes) => {
  it('is answered by the cache, also while the breaker is open', async () => {
    const hub = new CacheHub();
    const { imports = [], ...rest } = moduleOf({ providers: [Rates] }, hub, false);
    const providers = [
      { provide: SettingsStore, useValue: new SettingsStore([policySettings]) },
      { provide: Clock, useClass: SystemClock },
    ];
    const module = {
      ...rest,
      imports: [
        { module: class Platform {}, global: true, providers, exports: providers },
        PoliciesModule,
        ...imports,
      ],
    };
    const options = { logger: false, abortOnError: false } as const;
    const app = hasRoutes
      ? await NestFactory.create(module, new FastifyAdapter(), options)
      : await NestFactory.createApplicationContext(module, options);
    if ('listen' in app) await app.init();
    close = async () => {
      await app.close();
      await hub.close();
    };
    const rates = app.get(Rates);
    await expect(rates.of('EUR')).resolves.toBe('EUR 1');
    await expect(rates.of('XXX')).rejects.toThrow('no connection');
    await expect(rates.of('USD')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await expect(rates.of('EUR')).resolves.toBe('EUR 1');
    expect(rates.calls).toBe(2);
  });
});
