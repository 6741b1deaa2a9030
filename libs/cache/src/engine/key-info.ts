import type { KeyInfo } from '../statistics/cache-statistics.js';
import { type CacheCore, OWN_TAGS_FROM } from './cache-core.js';
import type { L1Entry } from './l1-entry.js';

const TAG_PREFIX_LENGTH = 2;

/** What the levels hold of a key, without a trace of having looked. */
export async function keyInfoOf(core: CacheCore, key: string): Promise<KeyInfo[]> {
  const { hub } = core;
  const infos: KeyInfo[] = [];
  const held = core.l1.peek(key);
  if (held !== undefined) infos.push(inMemory(core, held, core.l1.weightOf(key)));
  if (!core.usesTiers) return infos;
  const fullKey = core.fullKey(key);
  for (const { level, gate, tier } of hub.stack.levels) {
    const reply = await gate.call('inspect', (call) => tier.get(fullKey, call));
    if (!reply.ok || reply.value.entry === undefined) continue;
    const { entry, bytes } = reply.value;
    const [verdict] = await hub.versions.judge([entry]);
    const ttlLeftMs = entry.expiresMs - hub.clock.nowMs();
    infos.push({
      level,
      state: verdict === 'valid' ? freshOrStale(ttlLeftMs) : (verdict ?? 'unknown'),
      createdMs: entry.createdMs,
      ttlLeftMs,
      bytes,
      tags: entry.tags.slice(OWN_TAGS_FROM).map((name) => name.slice(TAG_PREFIX_LENGTH)),
    });
  }
  return infos;
}

function inMemory(core: CacheCore, entry: L1Entry, bytes: number | undefined): KeyInfo {
  const ttlLeftMs = entry.expiresMs - core.hub.clock.nowMs();
  const names = entry.tags?.refs ?? [];
  return {
    level: 'L1',
    state: core.isSound(entry) ? freshOrStale(ttlLeftMs) : 'invalid',
    createdMs: entry.createdMs,
    ttlLeftMs,
    bytes,
    tags: names.map(({ name }) => name.slice(TAG_PREFIX_LENGTH)),
  };
}

function freshOrStale(ttlLeftMs: number): KeyInfo['state'] {
  return ttlLeftMs > 0 ? 'fresh' : 'stale';
}
