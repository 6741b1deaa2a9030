/**
 * A map of at most `limit` entries that forgets those not used for longest, by halves: a full young
 * half becomes the old one, and what is used again moves to the young one. Where a list would be
 * reordered at every use, this costs a look-up.
 */
export class RecentMap<Value> {
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();
  private readonly half: number;

  constructor(limit: number) {
    this.half = Math.max(1, Math.floor(limit / 2));
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  has(key: string): boolean {
    return this.young.has(key) || this.old.has(key);
  }

  get(key: string): Value | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older === undefined) return undefined;
    this.old.delete(key);
    this.set(key, older);
    return older;
  }

  set(key: string, value: Value): void {
    if (this.young.size >= this.half && !this.young.has(key)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.old.delete(key);
    this.young.set(key, value);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  *entries(): Generator<[string, Value]> {
    yield* this.young;
    yield* this.old;
  }
}
