/** Fields of a level that can be changed at run time, with the settings that they stand for. */
export const LEVEL_SETTINGS = {
  L1: { maxBytes: 'cache.l1MaxBytes', ttlMs: 'cache.l1TtlMs' },
  L2: { ttlMs: 'cache.l2TtlMs', timeoutMs: 'cache.l2TimeoutMs', enabled: 'cache.l2InUse' },
  L3: { ttlMs: 'cache.l3TtlMs', timeoutMs: 'cache.l3TimeoutMs', enabled: 'cache.l3InUse' },
  L4: {},
} as const satisfies Record<string, Readonly<Partial<Record<LevelField, string>>>>;

export type LevelName = keyof typeof LEVEL_SETTINGS;
export type LevelField = 'maxBytes' | 'ttlMs' | 'timeoutMs' | 'enabled';
