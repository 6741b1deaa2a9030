import type { Cache } from '../engine/cache.js';

/** The policy of a cache with what it has learnt, as plain data. */
export function modelOf(cache: Cache) {
  const { name, state } = cache.policy();
  const { inForce, reason, switches } = state;
  return {
    namespace: cache.namespace,
    policy: name,
    inForce: typeof inForce === 'string' ? inForce : name,
    reason: typeof reason === 'string' ? reason : null,
    switches: typeof switches === 'number' ? switches : 0,
    state: { ...state },
  };
}
