/** Freezes plain objects and arrays and what they hold. Buffers, maps and the like stay as they are. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain =
    Array.isArray(value) ||
    prototype === null ||
    // Plain objects of another realm have another Object.
    Object.getPrototypeOf(prototype) === null;
  if (!isPlain) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
