/**
 * Told of every read of a cache, as it happens and in its caller's context. It must be quick, since
 * a hit waits for it, and must not throw.
 */
export interface AccessTap {
  /** `isHit`: the first level answered. `coarseMs` is the coarse clock's field as it stands. */
  record(key: string, isHit: boolean, coarseMs: number): void;
}
