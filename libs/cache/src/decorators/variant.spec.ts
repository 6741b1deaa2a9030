import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { createContext, runWithContext } from '#libs/logging';
import { Cacheable, CacheEvict } from './cacheable.decorator.js';
import { boot, closeApps, start } from './testing/boot.js';

afterEach(closeApps);

describe('varyBy', () => {
  @Injectable()
  class Settings {
    calls = 0;

    @Cacheable({ key: 'settings', namespace: 'settings', varyBy: ['user'] })
    async ofUser(): Promise<number> {
      this.calls += 1;
      return this.calls;
    }

    @Cacheable({ varyBy: ['tenant', 'user'] })
    async ofBoth(): Promise<number> {
      this.calls += 1;
      return this.calls;
    }

    @CacheEvict({ namespace: 'settings', key: 'settings' })
    async changeForAll(): Promise<void> {}

    @CacheEvict({ namespace: 'settings', key: 'settings', varyBy: ['user'] })
    async changeOwn(): Promise<void> {}
  }

  const as = <Result>(
    userId: string | undefined,
    work: () => Promise<Result>,
    organizationId = 'o',
  ): Promise<Result> => runWithContext(createContext({ userId, organizationId }), work);

  it('gives each user an answer of its own', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofUser();
    await expect(as('ann', get)).resolves.toBe(1);
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(1);
    await expect(as(undefined, get)).resolves.toBe(3);
    await expect(as(undefined, get)).resolves.toBe(3);
    await expect(as('%u', get)).resolves.toBe(4);
  });

  it('does not use the cache outside of any request or job', async () => {
    const settings = await boot(Settings);
    await settings.ofUser();
    await expect(settings.ofUser()).resolves.toBe(2);
  });

  it('keeps nothing for a credential that is limited to a scope, and gives it nothing', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofUser();
    const limited = <Result>(work: () => Promise<Result>): Promise<Result> =>
      runWithContext({ ...createContext({ userId: 'ann' }), limitedBy: 'key' }, work);
    await expect(as('ann', get)).resolves.toBe(1);
    await expect(limited(get)).resolves.toBe(2);
    await expect(limited(get)).resolves.toBe(3);
    await expect(as('ann', get)).resolves.toBe(1);
    await limited(() => settings.changeOwn());
    await expect(as('ann', get)).resolves.toBe(4);
  });

  it('keeps combinations apart', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofBoth();
    const answers = [
      await as('a', get, 'b'),
      await as('b', get, 'a'),
      await as('a@t=b', get, ''),
      await as('a', get, 'b'),
    ];
    expect(answers).toEqual([1, 2, 3, 1]);
  });

  it('is evicted for all by the key, and for one where the eviction varies too', async () => {
    const settings = await boot(Settings);
    const get = () => settings.ofUser();
    await as('ann', get);
    await as('bob', get);
    await as('ann', () => settings.changeOwn());
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(3);
    await as('eve', () => settings.changeForAll());
    await expect(as('bob', get)).resolves.toBe(4);
    await expect(as('ann', get)).resolves.toBe(5);
  });

  it('ends with the tag of the user', async () => {
    const app = await start({ providers: [Settings] });
    const get = () => app.get(Settings).ofUser();
    await as('ann', get);
    await as('bob', get);
    await app.caches.invalidateTags(['user:ann']);
    await expect(as('bob', get)).resolves.toBe(2);
    await expect(as('ann', get)).resolves.toBe(3);
  });
});
