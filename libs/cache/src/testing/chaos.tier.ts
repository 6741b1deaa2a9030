import { CacheTier, type TierCall, type TierRead, type TierWrite } from '../tier/cache-tier.js';

/** What goes wrong with the calls of a `ChaosTier`. */
export type Chaos =
  | { readonly kind: 'none' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The call fails and nothing has happened. */
  | { readonly kind: 'error' }
  /** The call never ends. */
  | { readonly kind: 'hang' }
  /** The call happens, or half of it where it has many keys, and its answer is lost. */
  | { readonly kind: 'partial' };

/** Puts faults before another tier; `plan` is asked for each call. */
export class ChaosTier extends CacheTier {
  readonly name = 'chaos';
  readonly isAtomic: boolean;
  readonly fenceMs: number;
  calls = 0;
  plan: (operation: string) => Chaos = () => ({ kind: 'none' });

  constructor(private readonly inner: CacheTier) {
    super();
    this.isAtomic = inner.isAtomic;
    this.fenceMs = inner.fenceMs;
  }

  get(key: string, call?: TierCall): Promise<TierRead> {
    return this.run('get', [key], ([only]) => this.inner.get(only as string, call));
  }

  getMany(keys: readonly string[], call?: TierCall): Promise<TierRead[]> {
    return this.run('getMany', keys, (some) => this.inner.getMany(some, call));
  }

  set(write: TierWrite, call?: TierCall): Promise<boolean> {
    return this.run('set', [write], ([only]) => this.inner.set(only as TierWrite, call));
  }

  setMany(writes: readonly TierWrite[], call?: TierCall): Promise<boolean[]> {
    return this.run('setMany', writes, (some) => this.inner.setMany(some, call));
  }

  delete(key: string, call?: TierCall): Promise<boolean> {
    return this.run('delete', [key], ([only]) => this.inner.delete(only as string, call));
  }

  deleteMany(keys: readonly string[], call?: TierCall): Promise<number> {
    return this.run('deleteMany', keys, (some) => this.inner.deleteMany(some, call));
  }

  clear(call?: TierCall): Promise<void> {
    return this.run('clear', [], () => this.inner.clear(call));
  }

  private async run<Item, T>(
    operation: string,
    items: readonly Item[],
    call: (items: readonly Item[]) => Promise<T>,
  ): Promise<T> {
    this.calls += 1;
    const chaos = this.plan(operation);
    if (chaos.kind === 'hang') return new Promise<never>(() => undefined);
    if (chaos.kind === 'error') throw new Error(`chaos: ${operation} failed`);
    if (chaos.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, chaos.ms));
    if (chaos.kind === 'partial') {
      await call(items.slice(0, Math.ceil(items.length / 2)));
      throw new Error(`chaos: the answer to ${operation} was lost`);
    }
    return call(items);
  }
}
