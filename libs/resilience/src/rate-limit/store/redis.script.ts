import { EPOCH_US } from '../gcra/held-bucket.js';

/**
 * `take` of `gcra/held-bucket.ts`. KEYS: bucket. ARGV: units of a request, of a full bucket, refill per
 * microsecond, need, want, part, epoch of what is settled, settled, returned, debt. All of them are
 * whole numbers below 2^53, which doubles of Lua keep exactly.
 */
export const TAKE_SCRIPT = `
local cell, capacity, refill = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local need, want, part = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local settledEpoch, settled, returned = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local debt = tonumber(ARGV[10])
local epochUs = ${EPOCH_US}
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local current = math.floor(now / epochUs)

local kept = redis.call('HMGET', KEYS[1], 'd', 'a', 'e', 'h', 'b')
local deficit, at = tonumber(kept[1] or 0), tonumber(kept[2] or now)
local epoch = tonumber(kept[3] or current)
local held, before = tonumber(kept[4] or 0), tonumber(kept[5] or 0)

local function pass(untilUs, floor)
  local elapsed = untilUs - at
  if elapsed <= 0 then return end
  at = untilUs
  local gained = elapsed * refill
  if gained >= deficit - floor then deficit = floor else deficit = deficit - gained end
end

for step = 1, 2 do
  if epoch < current then
    pass((epoch + 1) * epochUs, (held + before) * cell)
    epoch, before, held = epoch + 1, held, 0
  end
end
if epoch < current then epoch = current end
pass(now, (held + before) * cell)

if settledEpoch == epoch and settled <= held then
  held = held - settled
  deficit = deficit - returned * cell
elseif settledEpoch == epoch - 1 and settled <= before then
  before = before - settled
  deficit = deficit - returned * cell
end

deficit = math.max(deficit, math.min(capacity, deficit + debt * cell))
local available = math.max(0, math.floor((capacity - deficit) / cell))
local granted = math.min(need, available)
local reserve = math.min(want, math.floor((available - granted) / part))
deficit = deficit + (granted + reserve) * cell
held = held + reserve
local wait = 0
if granted < need then
  wait = math.max(1, math.ceil((deficit + cell - capacity) / refill))
end

redis.call('HSET', KEYS[1], 'd', deficit, 'a', at, 'e', epoch, 'h', held, 'b', before)
local lastsUs = deficit / refill
if held + before > 0 then lastsUs = math.max(lastsUs, (epoch + 2) * epochUs - now) end
redis.call('PEXPIRE', KEYS[1], math.ceil(lastsUs / 1000) + 1000)
return {granted, reserve, epoch, available - granted - reserve, wait}`;
