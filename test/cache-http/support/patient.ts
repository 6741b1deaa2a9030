/**
 * Settings of a cache that waits for its levels as long as a busy machine may take, so that a test
 * of what they do is none of how quick they are.
 */
export const PATIENT = {
  PANTHEON_CACHE_L2_TIMEOUT_MS: '10000',
  PANTHEON_CACHE_L3_TIMEOUT_MS: '10000',
  PANTHEON_CACHE_ACK_TIMEOUT_MS: '10000',
  PANTHEON_CACHE_HEARTBEAT_MS: '3000',
} as const;
