/**
 * KEYS: entry, fence. ARGV: expected fence, entry, life in ms.
 * Stores only if the key was neither written nor deleted since the fence was read.
 */
export const FILL = `
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** KEYS: entry, fence. ARGV: new fence, life of the fence in ms, entry, life in ms. */
export const PUT = `
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1`;

/** KEYS: entry, fence. ARGV: new fence, life of the fence in ms. */
export const DROP = `
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return redis.call('DEL', KEYS[1])`;
