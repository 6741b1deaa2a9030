import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { grant } from '../testing/access-control.contract.js';
import { PermissionTries } from './permission-tries.js';

const TEXTS = ['allow source:* read', 'deny source:secret *', 'allow memory *'];
const grantsOf = (texts: readonly string[]) => texts.map((text) => grant(text));

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('PermissionTries', () => {
  it('compiles a set once for all who have it, whatever their order', () => {
    const tries = new PermissionTries();
    const trie = tries.of(grantsOf(TEXTS));
    expect(tries.of(grantsOf(TEXTS.toReversed()))).toBe(trie);
    expect(tries.of(grantsOf([...TEXTS, TEXTS[0] as string]))).toBe(trie);
    expect(tries.size).toBe(1);
  });

  it('tells sets apart that differ in one grant, its action or its effect', () => {
    const tries = new PermissionTries();
    const sets = [
      TEXTS,
      TEXTS.slice(1),
      [...TEXTS.slice(0, 2), 'deny memory *'],
      ['allow a b'],
      [],
    ];
    const known = sets.map((texts) => tries.of(grantsOf(texts)));
    expect(new Set(known).size).toBe(sets.length);
    // Where one text ends and the next begins is no matter of chance.
    const joined = [{ resource: 'a","b', action: 'c', effect: 'allow' }] as const;
    const split = [{ resource: 'a', action: 'b","c', effect: 'allow' }] as const;
    expect(tries.of(joined)).not.toBe(tries.of(split));
  });

  it('forgets sets that nobody has any more', async () => {
    const tries = new PermissionTries();
    const kept = grantsOf(TEXTS);
    tries.of(kept);
    for (let set = 0; set < 1_000; set += 1) tries.of(grantsOf([`allow source:${set} read`]));
    expect(tries.size).toBe(1_001);
    for (let tries_ = 0; tries_ < 50 && tries.size > 1; tries_ += 1) {
      collectGarbage();
      await sleep(10);
    }
    expect(tries.size).toBe(1);
    expect(tries.of(grantsOf(TEXTS))).toBe(tries.of(kept));
  });
});
