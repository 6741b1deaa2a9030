/**
 * A key holds the length of its fence in one byte, the fence, and the entry; without an entry it
 * only remembers the fence. So a read is one key, and no script has to touch the entry itself.
 */

/** KEYS: key. ARGV: the expected start of what it holds, all that it shall hold, life in ms. */
export const FILL = `
local start = redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1)
if start == '' then start = '\\0' end
if start ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** KEYS: key. ARGV: a fence with its length, life in ms. Whether there was an entry. */
export const DROP = `
local length = redis.call('GETRANGE', KEYS[1], 0, 0)
local was = 0
if length ~= '' and redis.call('STRLEN', KEYS[1]) > 1 + string.byte(length) then was = 1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return was`;
