import { describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { authSettings } from '../auth.settings.js';
import { PasswordHasher } from './password-hasher.js';

function makeHasher(overrides: Record<string, unknown> = {}) {
  const settings = new SettingsStore([authSettings], { overrides: { auth: overrides } });
  return { settings, hasher: new PasswordHasher(settings) };
}

describe('PasswordHasher', () => {
  it('hashes with argon2id at the documented cost, each time with another salt', async () => {
    const { hasher } = makeHasher();
    const [first, second] = await Promise.all([
      hasher.hash('a password'),
      hasher.hash('a password'),
    ]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(second).not.toBe(first);
  });

  it('knows the password of a hash from others', async () => {
    const { hasher } = makeHasher();
    const hash = await hasher.hash('a password');
    await expect(hasher.matches('a password', hash)).resolves.toBe(true);
    await expect(hasher.matches('A password', hash)).resolves.toBe(false);
    await expect(hasher.matches('a password ', hash)).resolves.toBe(false);
  });

  it('says no, after hashing all the same, when there is no hash', async () => {
    const { hasher } = makeHasher({ passwordConcurrency: 1, passwordQueueLimit: 0 });
    const checking = hasher.matches('a password', undefined);
    await expect(hasher.hash('another')).rejects.toMatchObject({ code: 'AUTH_BUSY' });
    await expect(checking).resolves.toBe(false);
  });

  it('turns away a storm that its queue does not hold', async () => {
    const { hasher } = makeHasher({ passwordConcurrency: 1, passwordQueueLimit: 3 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => hasher.hash('a password')),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'AUTH_BUSY', kind: 'unavailable', retryAfterSeconds: 1 },
    });
  });

  it('knows a hash of another cost as outdated', async () => {
    const { hasher, settings } = makeHasher();
    const hash = await hasher.hash('a password');
    await expect(hasher.isOutdated(hash)).resolves.toBe(false);
    settings.overrideAll({ 'auth.passwordIterations': 3 });
    await expect(hasher.isOutdated(hash)).resolves.toBe(true);
    await expect(hasher.matches('a password', hash)).resolves.toBe(true);
  });
});
