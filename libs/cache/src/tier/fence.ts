import { randomBytes } from 'node:crypto';

let sequence = 0;
const processPart = randomBytes(6).toString('base64url');

/** A token that no other call makes, with the time at which it was made. */
export function newFence(nowMs: number = Date.now()): string {
  sequence += 1;
  return `${Math.trunc(nowMs).toString(36)}.${processPart}.${sequence.toString(36)}`;
}

/** When the fence was made; 0 for the fence of a key that nobody wrote. */
export function fenceTimeMs(fence: string): number {
  return fence === '' ? 0 : Number.parseInt(fence.slice(0, fence.indexOf('.')), 36);
}
