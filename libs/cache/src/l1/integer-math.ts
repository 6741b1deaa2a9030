/**
 * Functions of `Math` for hot paths. Taken from the global object once: where globals are slow to
 * look up, as in the contexts of `node:vm` that tests run in, that makes policies 50 times faster.
 */
export const { ceil, clz32, floor, imul, max, min, round } = Math;
