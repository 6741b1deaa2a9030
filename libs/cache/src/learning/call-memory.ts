import type { CachedMethod } from '../decorators/cached-methods.js';
import type { KeyLoad, KeySource } from './key-source.js';
import { RecentMap } from './recent-map.js';

/**
 * Remembers with which arguments the keys of a method come to be, so that they can be loaded again
 * without a caller: of the last keys only, since arguments may be large.
 */
export class CallMemory implements KeySource {
  private readonly calls: RecentMap<readonly unknown[]>;

  constructor(
    private readonly method: CachedMethod,
    maxCalls: number,
  ) {
    this.calls = new RecentMap(maxCalls);
  }

  note(key: string, args: readonly unknown[]): void {
    if (this.calls.get(key) === undefined) this.calls.set(key, args);
  }

  argumentsOf(key: string): readonly unknown[] | undefined {
    return this.calls.get(key);
  }

  find(key: string): KeyLoad | undefined {
    const args = this.calls.get(key);
    return args === undefined ? undefined : this.loadOf(key, args);
  }

  /**
   * How to load a key by the arguments it once came from. Undefined when they would give another key
   * here, as when it belongs to another user than the one at hand: then it must not be loaded.
   */
  loadOf(key: string, args: readonly unknown[]): KeyLoad | undefined {
    try {
      return this.method.entryKeyOf(args) === key ? this.method.loadOf(args) : undefined;
    } catch {
      // A key function may refuse the arguments, or the lack of a user.
      return undefined;
    }
  }
}
