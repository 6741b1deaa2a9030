import { randomBytes } from 'node:crypto';

const RANDOM_POOL_BYTES = 4096;
let pool: Buffer = Buffer.alloc(0);
let poolOffset = RANDOM_POOL_BYTES;
let lastMs = 0;
let sequence = 0;

/**
 * A UUID version 7 (RFC 9562): ordered by creation time, so that primary keys stay local in
 * B-trees. Within one process ids of the same millisecond are ordered too: the 12 bits after
 * the time hold a counter, and a full counter borrows the next millisecond.
 */
export function newId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  if (poolOffset + 8 > RANDOM_POOL_BYTES) {
    pool = randomBytes(RANDOM_POOL_BYTES);
    poolOffset = 0;
  }
  const tail = pool.toString('hex', poolOffset, poolOffset + 8);
  const variant = (0x8 | ((pool[poolOffset] ?? 0) & 0x3)).toString(16);
  poolOffset += 8;
  const time = lastMs.toString(16).padStart(12, '0');
  const counter = sequence.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text has the form of a UUID of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
