import type { RateRule } from '#libs/resilience';

/**
 * Of whatever hashes a password or a secret, all routes together: as much as a core hashes. Guessing is
 * held off by failures, which are counted apart.
 */
export const credentialLimit: RateRule = {
  name: 'credentials',
  by: 'address',
  capacity: 1_000,
  refillPerSecond: 50,
};
